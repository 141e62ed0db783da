import { mkdir, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { TrainingError } from '@mimlab/core';
import { clearUnfinished } from './checkpoint.js';
import { ensureFolder, onDisk, writeFileAtomically } from './disk.js';
import type { Environment } from './environment.js';
import { takeRunLock } from './run-lock.js';

/** A folder of a run, held by this process until `release`. */
export interface RunFolder {
  readonly path: string;
  /** Whether it holds an earlier part of this run. */
  readonly resumed: boolean;
  readonly checkpoints: string;
  readonly metrics: string;
  readonly tensorboard: string;
  /** Writes environment.json. A resumed run keeps the one it began with and adds `environment-resumed-N.json`. */
  writeEnvironment(environment: Environment): Promise<void>;
  release(): Promise<void>;
}

export interface OpenRunOptions {
  readonly path: string;
  /** Continue what is there; without it a folder with anything in it is refused. */
  readonly resume: boolean;
  /** Text of config.yaml: the whole resolved configuration. Written for a new run only. */
  readonly configText: string;
}

export const CONFIG_FILE = 'config.yaml';
const LOCK_FILE = 'run.lock';

/** Names in the folder of a run, paths in full. */
export const runPaths = (path: string): { readonly config: string; readonly checkpoints: string; readonly metrics: string; readonly tensorboard: string } => ({
  config: join(path, CONFIG_FILE),
  checkpoints: join(path, 'checkpoints'),
  metrics: join(path, 'metrics.jsonl'),
  tensorboard: join(path, 'tensorboard'),
});

/**
 * Creates the folder of a run, or opens one to resume it, and locks it against other processes.
 * @throws TrainingError if it exists and `resume` was not asked for, if it does not exist and it was, if another living
 * process uses it, or if it cannot be written.
 */
export async function openRunFolder({ path: given, resume, configText }: OpenRunOptions): Promise<RunFolder> {
  const path = resolve(given);
  const paths = runPaths(path);
  const before = await namesIn(path);
  // config.yaml comes first: a process killed before it stands leaves only these, and nothing to lose.
  const used = (before ?? []).some((name) => !name.startsWith(LOCK_FILE) && !name.startsWith(`${CONFIG_FILE}.tmp-`));
  if (used && !resume) {
    const isRun = before?.includes(CONFIG_FILE) === true;
    throw new TrainingError(isRun ? 'holds a run already' : 'is not empty', {
      place: path,
      remedy: isRun ? `Resume it with --resume ${given}, or choose another 'output'.` : `Choose another 'output'; nothing there was touched.`,
    });
  }
  if (resume && before === undefined) throw new TrainingError('there is no such run', { place: path, remedy: 'Check the path after --resume.' });
  if (resume && used && before?.includes(CONFIG_FILE) === false) {
    throw new TrainingError(`is no run: it has no ${CONFIG_FILE}`, { place: path, remedy: 'Check the path after --resume; nothing there was touched.' });
  }
  await ensureFolder(path);
  const lock = await takeRunLock(join(path, LOCK_FILE));
  try {
    if (!used) await writeFileAtomically(paths.config, configText);
    await onDisk(paths.checkpoints, () => mkdir(paths.checkpoints, { recursive: true }));
    await clearUnfinished(paths.checkpoints);
  } catch (error) {
    await lock.release();
    throw error;
  }
  return {
    path,
    resumed: used,
    ...paths,
    writeEnvironment: async (environment) => writeFileAtomically(await environmentPath(path), `${JSON.stringify(environment, null, 2)}\n`),
    release: () => lock.release(),
  };
}

async function environmentPath(path: string): Promise<string> {
  const first = join(path, 'environment.json');
  if (!(await exists(first))) return first;
  for (let count = 1; ; count++) {
    const next = join(path, `environment-resumed-${count}.json`);
    if (!(await exists(next))) return next;
  }
}

const exists = (path: string): Promise<boolean> => stat(path).then(() => true, () => false);

async function namesIn(path: string): Promise<string[] | undefined> {
  return onDisk(path, async () => {
    try {
      return await readdir(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  });
}
