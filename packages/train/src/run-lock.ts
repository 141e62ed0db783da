import { constants, readFileSync } from 'node:fs';
import { copyFile, link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { TrainingError } from '@mimlab/core';
import { onDisk } from './disk.js';

/** Who holds a run folder. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, in ticks since boot, where the system tells: a number that a later process of the same id does not share. */
  readonly started?: string;
}

export interface RunLock {
  release(): Promise<void>;
}

/** Field 22 of /proc/PID/stat. The name in field 2 may hold spaces, so fields are counted from its closing bracket. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, under another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return started === undefined || startOf(pid) === started;
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, host, started } = JSON.parse(text) as Partial<Holder>;
    if (!Number.isInteger(pid) || typeof host !== 'string') return undefined;
    return { pid: pid as number, host, ...(typeof started === 'string' ? { started } : {}) };
  } catch {
    return undefined;
  }
}

const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

let attempts = 0;

/**
 * Takes the lock file at `path` for this process. A lock whose process is dead, killed without a word say, is taken over.
 * @throws TrainingError if a living process holds it, or one on another host, which cannot be asked.
 */
export async function takeRunLock(path: string): Promise<RunLock> {
  const started = startOf(process.pid);
  const self: Holder = { pid: process.pid, host: hostname(), ...(started === undefined ? {} : { started }) };
  const attempt = `${process.pid}-${attempts++}`;
  const mine = `${path}.${attempt}`;
  await onDisk(path, async () => {
    await writeFile(mine, JSON.stringify(self));
    try {
      // A link appears with its whole content or not at all: nobody ever reads a half-written lock.
      while (!(await linked(mine, path))) await removeDeadLock(path, self.host, `${path}.dead-${attempt}`);
    } finally {
      await rm(mine, { force: true });
    }
  });
  return {
    release: async () => {
      const text = await readIfThere(path);
      if (text === JSON.stringify(self)) await rm(path, { force: true });
    },
  };
}

/** What file systems without hard links answer; a copy that must not exist yet serves there. */
const WITHOUT_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to).catch((error: NodeJS.ErrnoException) => {
      if (error.code === undefined || !WITHOUT_LINKS.has(error.code)) throw error;
      return copyFile(from, to, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeDeadLock(path: string, host: string, aside: string): Promise<void> {
  const text = await readIfThere(path);
  if (text === undefined) return;
  const holder = parseHolder(text);
  if (holder !== undefined && (holder.host !== host || isAlive(holder))) {
    throw new TrainingError(`another process uses this run (process ${holder.pid} on ${holder.host})`, {
      place: path,
      remedy: `Wait for it or stop it. If it is gone for certain, delete ${path}.`,
    });
  }
  // Two processes may find the same dead lock: whoever moves it away checks that it moved that one and not a fresh one.
  await rename(path, aside).catch(() => undefined);
  const moved = await readIfThere(aside);
  if (moved !== undefined && moved !== text) await linked(aside, path);
  await rm(aside, { force: true });
}
