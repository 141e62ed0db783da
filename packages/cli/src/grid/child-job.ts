import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ensureFolder, onDisk } from '@mimlab/train';
import type { Job } from './plan-jobs.js';

/** How a job ended. */
export interface JobEnd {
  /** Exit code of the process; null if a signal ended it. */
  readonly code: number | null;
  /** The last lines it wrote, for a message. */
  readonly tail: readonly string[];
}

/** A job that runs. */
export interface RunningJob {
  readonly end: Promise<JobEnd>;
  /** Asks it to keep what it has done and to stop. */
  stop(): void;
}

/** Starts a job. @param progress gets the share that is done, 0..1, as far as the job tells */
export type Launch = (job: Job, options: { readonly resume: boolean; readonly log: string; readonly progress: (share: number) => void }) => Promise<RunningJob>;

/** The command itself, as built. */
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const TAIL = 12;
/** `update  120/390 (30 %)`, as the progress of every command has it. */
const PROGRESS = /(\d+)\/(\d+) \(\d+ %\)/;

/**
 * Runs a job as a process of its own: it has the memory and the engine to itself, and a failure is its own. It is no member of the
 * terminal's process group, so Ctrl-C reaches it once, through `stop`; a channel to this process tells it when nobody waits
 * for it any more. What it says goes to the log.
 * @param main script of the command
 */
export const processLauncher = (main: string): Launch => async (job, { resume, log, progress }) => {
  await ensureFolder(dirname(log));
  const args = job.arguments(resume);
  const file = createWriteStream(log, { flags: 'a' });
  await onDisk(log, () => once(file, 'open'));
  file.write(`$ mimlab ${args.join(' ')}\n`);
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
  const tail: string[] = [];
  const read = (line: string): void => {
    file.write(`${line}\n`);
    tail.push(line);
    if (tail.length > TAIL) tail.shift();
    const found = PROGRESS.exec(line);
    if (found !== null) progress(Number(found[1]) / Math.max(1, Number(found[2])));
  };
  // Each stream has lines of its own: the end of one must not be joined to the beginning of another.
  const ended = [child.stdout, child.stderr].flatMap((stream) => (stream === null ? [] : [once(createInterface({ input: stream }).on('line', read), 'close')]));
  const end = new Promise<JobEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      void Promise.all(ended).then(() => {
        file.end(() => {
          resolve({ code, tail });
        });
      });
    });
  });
  return {
    end,
    stop: () => {
      child.kill('SIGTERM');
    },
  };
};

export const launchProcess = processLauncher(MAIN);
