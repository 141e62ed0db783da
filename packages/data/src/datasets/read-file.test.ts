import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DataError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, writeFile } from '../testing/tiny-data.js';
import { findFile, readShared } from './read-file.js';

const root = temporaryFolder();
const put = (name: string, content: Uint8Array | string = ''): string => {
  writeFile(join(root, name), content);
  return join(root, name);
};

describe('findFile', () => {
  it('gives the first of the names that is there', async () => {
    put('found/b');
    put('found/c');
    expect(await findFile(join(root, 'found'), ['a', 'b', 'c'], 'none')).toBe(join(root, 'found/b'));
  });

  it('names the one file that is missing, with folder and remedy', async () => {
    await expect(findFile(join(root, 'lacking'), ['a.bin'], 'Unpack it.')).rejects.toThrow(`${join(root, 'lacking')}: 'a.bin' is missing or cannot be read\n  Unpack it.`);
  });

  it('lists all names where none is there', async () => {
    const finding = findFile(join(root, 'lacking'), ['a', 'a.gz'], 'Unpack it.');
    await expect(finding).rejects.toThrow(DataError);
    await expect(finding).rejects.toThrow(`none of 'a', 'a.gz' is there or cannot be read`);
  });

  it.skipIf(process.getuid?.() === 0)('passes over a file that may not be read', async () => {
    chmodSync(put('locked/a'), 0);
    put('locked/b');
    expect(await findFile(join(root, 'locked'), ['a', 'b'], 'none')).toBe(join(root, 'locked/b'));
  });
});

describe('readShared', () => {
  it('puts the bytes of a file on memory that threads share', async () => {
    const bytes = await readShared(put('plain', Uint8Array.of(1, 2, 3)));
    expect([...bytes]).toEqual([1, 2, 3]);
    expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('reads an empty file', async () => {
    expect(await readShared(put('empty'))).toHaveLength(0);
  });

  it('unpacks what ends in .gz, and nothing else', async () => {
    const packed = gzipSync(Uint8Array.of(4, 5));
    const bytes = await readShared(put('packed.gz', packed));
    expect([...bytes]).toEqual([4, 5]);
    expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([...(await readShared(put('packed.bin', packed)))]).toEqual([...packed]);
  });

  it.each([
    ['that is not packed', 'words.gz', Buffer.from('just words')],
    ['that is cut short', 'short.gz', gzipSync(Buffer.alloc(100, 7)).subarray(0, 15)],
    ['whose content was changed', 'changed.gz', Buffer.from(gzipSync(Buffer.from('abcdefgh'))).fill(0, 18, 22)],
    ['without anything', 'none.gz', Buffer.alloc(0)],
  ])('names a packed file %s', async (_, name, content) => {
    await expect(readShared(put(name, content))).rejects.toThrow(new RegExp(`${name}: cannot be read: .+\\n {2}Download the file again`));
  });

  it('names a file that is not there, and a folder in its place', async () => {
    await expect(readShared(join(root, 'gone'))).rejects.toThrow(/gone: cannot be read: ENOENT/);
    mkdirSync(join(root, 'folder'));
    await expect(readShared(join(root, 'folder'))).rejects.toThrow(/folder: cannot be read: EISDIR/);
  });
});
