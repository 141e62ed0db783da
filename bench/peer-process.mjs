// A child process that runs training steps on request: one JSON line when ready, then one for each request.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The line of a program's last words that says what went wrong. */
function causeIn(complaints) {
  const lines = complaints.split('\n').filter((line) => line.trim() !== '');
  return lines.findLast((line) => /^\S*Error\b/.test(line)) ?? lines.at(-1) ?? 'it said nothing';
}

/**
 * Starts a peer and waits until its warm-up is done.
 * @throws Error with the reason that the peer gives, or with the end of what it complained of, if it ends
 */
export async function startPeer(command, args, env) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let complaints = '';
  child.stderr.on('data', (text) => (complaints = (complaints + text).slice(-2000)));
  // A peer that has ended cannot be written to; `ended` says so.
  child.stdin.on('error', () => undefined);
  const ended = new Promise((_, reject) => {
    child.once('error', (error) => reject(new Error(`${command}: ${error.message}`)));
    child.once('close', (code, signal) => reject(new Error(`${command} ended with ${signal ?? `code ${code}`}: ${causeIn(complaints)}\n${complaints}`)));
  });
  ended.catch(() => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    for (;;) {
      const { value, done } = await Promise.race([lines.next(), ended]);
      if (done) await ended;
      if (value?.startsWith('{')) return JSON.parse(value);
    }
  };
  const ready = await answer();
  if (ready.failed !== undefined) {
    child.kill();
    throw new Error(ready.failed);
  }
  return {
    ready,
    /** Sends one request, such as `{ steps: 5 }`, and waits for its answer. */
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return answer();
    },
    stop: () => child.kill(),
  };
}
