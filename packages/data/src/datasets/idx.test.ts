import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DataError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { idxBytes, temporaryFolder, writeFile } from '../testing/tiny-data.js';
import { readIdx } from './idx.js';

const folder = temporaryFolder();
let files = 0;
function fileOf(content: Uint8Array, ending = ''): string {
  const path = join(folder, `${String(files++)}-idx${ending}`);
  writeFile(path, content);
  return path;
}

describe('readIdx', () => {
  it('reads sides and values', async () => {
    const { shape, values } = await readIdx(fileOf(idxBytes([2, 1, 3], [1, 2, 3, 4, 5, 6])), 3);
    expect(shape).toEqual([2, 1, 3]);
    expect([...values]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('reads packed files', async () => {
    expect([...(await readIdx(fileOf(gzipSync(idxBytes([3], [7, 8, 9])), '.gz'), 1)).values]).toEqual([7, 8, 9]);
  });

  it('puts the values on shared memory', async () => {
    expect((await readIdx(fileOf(idxBytes([1], [1])), 1)).values.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('names a file that is cut short and its lengths', async () => {
    const path = fileOf(idxBytes([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]).subarray(0, 20));
    await expect(readIdx(path, 3)).rejects.toThrow(`${path}: has 20 bytes, its header promises 24 (2 x 2 x 2)`);
  });

  it('refuses a file that is longer than its header says', async () => {
    await expect(readIdx(fileOf(idxBytes([2], [1, 2, 3])), 1)).rejects.toThrow('has 11 bytes, its header promises 10');
  });

  it('refuses a header that is cut short', async () => {
    await expect(readIdx(fileOf(idxBytes([1, 1, 1], [1]).subarray(0, 9)), 3)).rejects.toThrow('cut short at 9 of 16 bytes');
  });

  it('refuses another magic number, showing both', async () => {
    await expect(readIdx(fileOf(idxBytes([2], [1, 2])), 3)).rejects.toThrow('no IDX file of images: it starts with 0x00000801, expected 0x00000803');
    await expect(readIdx(fileOf(Buffer.from('<html>')), 1)).rejects.toThrow('no IDX file of labels');
  });

  it('refuses an empty file', async () => {
    await expect(readIdx(fileOf(Buffer.alloc(0)), 1)).rejects.toThrow('it starts with only 0 bytes');
  });

  it('names a packed file that is damaged', async () => {
    const path = fileOf(gzipSync(idxBytes([3], [7, 8, 9])).subarray(0, 15), '.gz');
    const error: unknown = await readIdx(path, 1).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).place).toBe(path);
  });
});
