import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, writeFile } from '../testing/tiny-data.js';
import { openDataset } from './open-dataset.js';
import { createTableReader } from './table-reader.js';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const root = temporaryFolder();
const open = (path: string, split: 'train' | 'test' = 'train', channels: 1 | 3 = 3): ReturnType<typeof openDataset> => openDataset({ dataset: 'parquet', path, split, channels });
const copyOf = (name: string, files: readonly string[]): string => {
  mkdirSync(join(root, name));
  for (const file of files) cpSync(join(fixtures, 'tables', file), join(root, name, file));
  return join(root, name);
};

describe('Parquet tables', () => {
  it('joins the shards of a split and names the classes', async () => {
    const data = await open(join(fixtures, 'tables'));
    expect(data.classes).toEqual(['cat', 'dog', 'owl']);
    expect(Array.from({ length: data.size }, (_, i) => data.label(i))).toEqual([0, 1, 2, 0, 1, 2, 2, 0]);
    expect((await open(join(fixtures, 'tables'), 'test')).size).toBe(1);
  });

  it('decodes any image in any order', async () => {
    const data = await open(join(fixtures, 'tables'));
    for (const index of [7, 0, 4, 5, 1, 6, 3, 2]) {
      const { height, width, channels, pixels } = await data.image(index);
      expect([height, width, channels]).toEqual([2, 3, 3]);
      expect([...pixels.subarray(15)]).toEqual([10 * index, index, 200]);
    }
  });

  it('reads images at once that are asked for at once', async () => {
    const data = await open(join(fixtures, 'tables'));
    const images = await Promise.all([6, 2, 6, 0].map((index) => data.image(index)));
    expect(images.map(({ pixels }) => pixels[1])).toEqual([6, 2, 6, 0]);
  });

  it('reads bytes without a struct, from the folder data, and numbers classes that have no names', async () => {
    const data = await open(join(fixtures, 'plain'));
    expect([data.classes, data.label(0)]).toEqual([['0', '1', '2', '3'], 3]);
    expect([...(await data.image(1)).pixels.subarray(0, 3)]).toEqual([1, 2, 3]);
  });

  it('makes grey images', async () => {
    expect((await (await open(join(fixtures, 'plain'), 'train', 1)).image(0)).channels).toBe(1);
  });

  it('has one fingerprint for one stored image', async () => {
    const data = await open(join(fixtures, 'tables'));
    expect(await data.fingerprint(3)).toBe(await (await open(join(fixtures, 'tables'))).fingerprint(3));
    expect(await data.fingerprint(3)).not.toBe(await data.fingerprint(4));
  });

  it('names file and row of a sample', async () => {
    expect((await open(join(fixtures, 'tables'))).describe(6)).toMatch(/train-00001-of-00002.parquet row 1$/);
  });

  it('uses validation tables where there are no test tables', async () => {
    const folder = copyOf('validation', []);
    cpSync(join(fixtures, 'tables/test-00000-of-00001.parquet'), join(folder, 'validation-00000-of-00001.parquet'));
    expect((await open(folder, 'test')).label(0)).toBe(1);
  });

  it('is refused where a shard is missing', async () => {
    const folder = copyOf('shard', ['train-00001-of-00002.parquet']);
    await expect(open(folder)).rejects.toThrow(/has 1 of 2 'train' tables; number 0 is missing/);
  });

  it('is refused where a table is there twice, in another division or under a second name', async () => {
    const shard = 'train-00001-of-00002.parquet';
    const folder = copyOf('divisions', ['train-00000-of-00002.parquet', shard]);
    for (const other of ['train-00000-of-00003.parquet', 'train.parquet', 'train-00001-of-00002-b7f2.parquet']) {
      cpSync(join(fixtures, 'tables', shard), join(folder, other));
      await expect(open(folder)).rejects.toThrow(new RegExp(`divisions: holds 'train' tables of several divisions: .*${other}.*\\n.*Keep one`));
      rmSync(join(folder, other));
    }
    expect((await open(folder)).size).toBe(8);
  });

  it('tells of a few missing shards where a name claims very many', async () => {
    const folder = copyOf('many', []);
    cpSync(join(fixtures, 'tables/train-00001-of-00002.parquet'), join(folder, 'train-00001-of-99999999999.parquet'));
    await expect(open(folder)).rejects.toThrow(/has 1 of 99999999999 'train' tables; number 0, 2, 3, 4, 5, 6, 7, 8, 9, 10 ... are missing\n.*Download/);
  });

  it('is refused where the split is missing', async () => {
    const folder = copyOf('split', ['train-00001-of-00002.parquet']);
    await expect(open(folder, 'test')).rejects.toThrow(/holds no 'test-\*.parquet' or 'validation-\*.parquet' or 'val-\*.parquet'/);
  });

  it('is refused where a file is cut short', async () => {
    const folder = copyOf('cut', ['train-00001-of-00002.parquet']);
    const bytes = readFileSync(join(fixtures, 'tables/train-00000-of-00002.parquet'));
    writeFile(join(folder, 'train-00000-of-00002.parquet'), bytes.subarray(0, bytes.length - 40));
    await expect(open(folder)).rejects.toThrow(/train-00000-of-00002.parquet: cannot be read as a Parquet table/);
  });

  it('is refused where shards have other columns', async () => {
    const folder = copyOf('columns', ['train-00000-of-00002.parquet']);
    cpSync(join(fixtures, 'plain/data/train.parquet'), join(folder, 'train-00001-of-00002.parquet'));
    await expect(open(folder)).rejects.toThrow(/train-00001-of-00002.parquet: has other columns or classes than '.*train-00000-of-00002.parquet'/);
  });

  it('says that images have no labels', async () => {
    await expect(open(join(fixtures, 'unlabelled'), 'test')).rejects.toThrow(/test-00000-of-00001.parquet row 0: has label -1, expected 0 .. 2\n.*validation/);
  });

  it('names the row that holds a path in place of an image', async () => {
    const data = await open(join(fixtures, 'paths'));
    await expect(data.image(0)).rejects.toThrow(/train-00000-of-00001.parquet row 0: holds no bytes of an image in column 'image'/);
  });

  it('refuses a sample that does not exist', async () => {
    await expect((await open(join(fixtures, 'plain'))).image(2)).rejects.toThrow(/there is no sample 2/);
  });
});

describe('a table reader', () => {
  const source = { files: [join(fixtures, 'tables/train-00000-of-00002.parquet')], starts: [0], column: 'image' };

  it('gives the same bytes of a row group it keeps', async () => {
    const reader = createTableReader(source);
    expect(await reader.bytes(1)).toBe(await reader.bytes(1));
  });

  it('gives up the group used longest ago when it keeps too much', async () => {
    const reader = createTableReader(source, 0);
    const first = await reader.bytes(1);
    await reader.bytes(2);
    const again = await reader.bytes(1);
    expect(again).not.toBe(first);
    expect(again).toEqual(first);
  });
});
