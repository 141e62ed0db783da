// A child process that runs training steps on request: one JSON line when ready, then one for each number sent to it.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Starts a peer and waits until its warm-up is done. */
export async function startPeer(command, args, env) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let complaints = '';
  child.stderr.on('data', (text) => (complaints = (complaints + text).slice(-2000)));
  const ended = new Promise((_, reject) =>
    child.once('exit', (code) => reject(new Error(`${command} ended with code ${code}\n${complaints}`))),
  );
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
  return {
    ready,
    /** Runs `steps` steps; seconds of each, the last loss, peak resident megabytes since the warm-up. */
    async run(steps) {
      child.stdin.write(`${steps}\n`);
      return answer();
    },
    stop: () => child.kill(),
  };
}
