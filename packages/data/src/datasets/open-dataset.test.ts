import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataError } from '@mimlab/core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Dataset, DatasetRef } from '../contract.js';
import { cifarRecord, idxBytes, plainPng, temporaryFolder, writeFile } from '../testing/tiny-data.js';
import { openDataset } from './open-dataset.js';

/** Data sets of three images each; the first two are equal, the third is not. */
const root = temporaryFolder();
const sets: Record<string, DatasetRef> = {
  mnist: { dataset: 'mnist', path: join(root, 'idx'), split: 'train' },
  'fashion-mnist': { dataset: 'fashion-mnist', path: join(root, 'idx'), split: 'train' },
  cifar10: { dataset: 'cifar10', path: join(root, 'cifar'), split: 'test' },
  imagefolder: { dataset: 'imagefolder', path: join(root, 'folder'), split: 'train', channels: 3 },
  inaturalist: { dataset: 'inaturalist', path: join(root, 'naturalist'), split: 'train', channels: 3 },
};
beforeAll(async () => {
  writeFile(join(root, 'idx/train-images-idx3-ubyte'), idxBytes([3, 1, 2], [1, 2, 1, 2, 1, 3]));
  writeFile(join(root, 'idx/train-labels-idx1-ubyte'), idxBytes([3], [0, 1, 1]));
  writeFile(join(root, 'cifar/test_batch.bin'), Buffer.concat([cifarRecord(0, [1, 2, 3]), cifarRecord(1, [1, 2, 3]), cifarRecord(1, [1, 2, 4])]));
  const images = [await plainPng(2, 2, [1, 2, 3]), await plainPng(2, 2, [1, 2, 3]), await plainPng(2, 2, [1, 2, 4])];
  for (const [i, image] of images.entries()) {
    writeFile(join(root, `folder/${i === 0 ? 'a' : 'b'}/${i}.png`), image);
    writeFile(join(root, `naturalist/${i}.png`), image);
  }
  const listing = {
    images: [0, 1, 2].map((id) => ({ id, file_name: `${id}.png` })),
    annotations: [0, 1, 2].map((id) => ({ image_id: id, category_id: Math.min(id, 1) })),
    categories: [0, 1].map((id) => ({ id, name: `c${id}` })),
  };
  writeFile(join(root, 'naturalist/train2018.json'), JSON.stringify(listing));
});

describe.each(Object.keys(sets))('a data set of the kind %s', (kind) => {
  let data: Dataset;
  beforeAll(async () => {
    data = await openDataset(sets[kind]!);
  });

  it('knows name, size and labels', () => {
    expect([data.name, data.size]).toEqual([kind, 3]);
    expect([0, 1, 2].map((index) => data.label(index))).toEqual([0, 1, 1]);
  });

  it('tells equal images from others by their fingerprint, the same each time', async () => {
    const [first, second, third] = await Promise.all([0, 1, 2].map((index) => data.fingerprint(index)));
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    expect(await (await openDataset(sets[kind]!)).fingerprint(2)).toBe(third);
  });

  it('has no sample outside its range, however it is asked for', async () => {
    for (const bad of [-1, 3, 0.5, NaN, Infinity]) {
      expect(() => data.label(bad)).toThrow(DataError);
      await expect(data.image(bad)).rejects.toThrow(`${kind}: there is no sample ${bad}\n  The data set has samples 0 .. 2.`);
      await expect(data.fingerprint(bad)).rejects.toThrow(`there is no sample ${bad}`);
    }
  });

  it('describes each sample in its own words', () => {
    expect(new Set([0, 1, 2].map((index) => data.describe(index))).size).toBe(3);
  });
});

describe('a table', () => {
  it('refuses what is no sample when it is asked for its fingerprint', async () => {
    const path = fileURLToPath(new URL('../../fixtures/plain', import.meta.url));
    const data = await openDataset({ dataset: 'parquet', path, split: 'train', channels: 3 });
    await expect(data.fingerprint(2)).rejects.toThrow('parquet: there is no sample 2\n  The data set has samples 0 .. 1.');
  });
});
