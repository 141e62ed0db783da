import { open, stat, type FileHandle } from 'node:fs/promises';
import { CheckpointError, MimlabError } from '../errors.js';

/** One read or write call moves at most this much: the system's own limit lies just below 2 GiB. */
const CHUNK = 1 << 30;

const REASONS: Readonly<Record<string, readonly [problem: string, remedy: string]>> = {
  ENOENT: ['there is no such file or folder', 'Check the path.'],
  EACCES: ['permission denied', 'Check the permissions of the file and its folder.'],
  EPERM: ['permission denied', 'Check the permissions of the file and its folder.'],
  EISDIR: ['this is a folder, a file is expected', 'Name the file inside it.'],
  ENOTDIR: ['a part of this path is a file, not a folder', 'Check the path.'],
  ENOSPC: ['no space left on the disk', 'Free some space and try again; what was saved before is untouched.'],
  EDQUOT: ['the disk quota is used up', 'Free some space and try again; what was saved before is untouched.'],
  EROFS: ['the file system is read-only', 'Choose another folder.'],
};

/** An error of the file system as a person can use it. Errors that are already typed pass through. */
export function fileError(path: string, cause: unknown): Error {
  if (cause instanceof MimlabError) return cause;
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  const known = code === undefined ? undefined : REASONS[code];
  if (known !== undefined) return new CheckpointError(known[0], { place: path, remedy: known[1], cause });
  return new CheckpointError(cause instanceof Error ? cause.message : String(cause), { place: path, cause });
}

/** Opens a file for reading, hands it to `use`, closes it whatever happens. @throws CheckpointError */
export async function withFile<T>(path: string, use: (file: FileHandle, size: number) => Promise<T>): Promise<T> {
  let file: FileHandle | undefined;
  try {
    const status = await stat(path);
    if (status.isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
    // Opening a pipe would wait for someone to write into it.
    if (!status.isFile()) throw new CheckpointError('this is no regular file', { place: path, remedy: 'Save its content as a file first: tensors are read from anywhere in it.' });
    file = await open(path, 'r');
    return await use(file, (await file.stat()).size);
  } catch (cause) {
    throw fileError(path, cause);
  } finally {
    await file?.close();
  }
}

/** Reads exactly `length` bytes from `position`. @throws Error if the file ends before. */
export async function readBytes(file: FileHandle, position: number, length: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, Math.min(CHUNK, length - done), position + done);
    if (bytesRead === 0) throw new Error(`the file ends ${length - done} bytes early`);
    done += bytesRead;
  }
  return bytes.buffer;
}

/** Writes all of `bytes` at the file's current end. */
export async function writeBytes(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, Math.min(CHUNK, bytes.length - done));
    done += bytesWritten;
  }
}
