import { constants } from 'node:fs';
import { access, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError } from '@mimlab/core';
import { sharedBytes } from './dataset-source.js';

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/**
 * The first of `names` that lies in `folder`.
 * @throws DataError listing the names that were looked for.
 */
export async function findFile(folder: string, names: readonly string[], remedy: string): Promise<string> {
  for (const name of names) {
    const path = join(folder, name);
    const readable = await access(path, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (readable) return path;
  }
  const wanted = names.length === 1 ? `'${String(names[0])}' is missing` : `none of ${names.map((name) => `'${name}'`).join(', ')} is there`;
  throw new DataError(`${wanted} or cannot be read`, { place: folder, remedy });
}

/**
 * Reads a file into shared memory, unpacking it if its name ends in `.gz`.
 * @throws DataError if it cannot be read or unpacked.
 */
export async function readShared(path: string): Promise<Uint8Array> {
  try {
    if (path.endsWith('.gz')) {
      const plain = await promisify(gunzip)(await readFile(path));
      const bytes = sharedBytes(plain.length);
      bytes.set(plain);
      return bytes;
    }
    const file = await open(path);
    try {
      const bytes = sharedBytes((await file.stat()).size);
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done, done);
        if (bytesRead === 0) throw new Error('it became shorter while it was read');
        done += bytesRead;
      }
      return bytes;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new DataError(`cannot be read: ${reasonOf(cause)}`, { place: path, remedy: 'Download the file again, and check that it may be read.', cause });
  }
}
