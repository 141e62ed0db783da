import { constants } from 'node:fs';
import { access, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MimlabError, syncFolder, TrainingError } from '@mimlab/core';

/** What the operating system says, and what a person can do about it. */
const MEANINGS: Readonly<Record<string, readonly [problem: string, remedy: string]>> = {
  ENOSPC: ['no space left on the disk', 'Free some space, then resume the run; earlier checkpoints are untouched.'],
  EDQUOT: ['the disk quota is used up', 'Free some space, then resume the run; earlier checkpoints are untouched.'],
  EFBIG: ['the file would be larger than allowed', 'Raise the limit on file sizes, then resume the run; earlier checkpoints are untouched.'],
  EROFS: ['the file system is read-only', `Choose another folder with 'output'; earlier checkpoints are untouched.`],
  EACCES: ['permission denied', `Mend the permissions of this folder, or choose another one with 'output'.`],
  EPERM: ['permission denied', `Mend the permissions of this folder, or choose another one with 'output'.`],
  ENOTDIR: ['a part of this path is a file, not a folder', `Choose another folder with 'output'.`],
  EEXIST: ['is a file, a folder is expected', `Choose another folder with 'output'.`],
  EIO: ['the disk reports an input/output error', 'Check the disk, then resume the run from its newest whole checkpoint.'],
};

const codeOf = (error: unknown): string | undefined => {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  if (typeof code === 'string') return code;
  return cause === undefined ? undefined : codeOf(cause);
};

/** Runs an action on files; what the file system refuses becomes a TrainingError naming the path and the remedy. */
export async function onDisk<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw diskError(path, error);
  }
}

/** The TrainingError for a failure of the file system at `path`; errors of other kinds come back as they are. */
export function diskError(path: string, error: unknown): unknown {
  const code = codeOf(error);
  const meaning = code === undefined ? undefined : MEANINGS[code];
  if (meaning !== undefined) return new TrainingError(meaning[0], { place: path, remedy: meaning[1], cause: error });
  if (error instanceof MimlabError || code === undefined) return error;
  return new TrainingError(`the file system refuses: ${(error as Error).message}`, { place: path, cause: error });
}

/** Writes a whole file under a temporary name, brings it to the disk and renames it. */
export async function writeFileAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`;
  await onDisk(path, async () => {
    try {
      const file = await open(temporary, 'w');
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
      await syncFolder(dirname(path));
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
  });
}

/** Makes a folder that can be written to. @throws TrainingError naming it if that cannot be done */
export async function ensureFolder(path: string): Promise<void> {
  await onDisk(path, async () => {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK | constants.X_OK);
  });
}
