import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DataError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { idxBytes, temporaryFolder, writeFile, writeMnist } from '../testing/tiny-data.js';
import { embeddedMnist } from './mnist.js';
import { openDataset } from './open-dataset.js';

const root = temporaryFolder();

describe('the embedded MNIST', () => {
  it('has 60,000 training and 10,000 test images of 28 x 28', async () => {
    const train = await openDataset({ dataset: 'mnist', split: 'train' });
    const test = await openDataset({ dataset: 'mnist', split: 'test' });
    expect([train.size, test.size]).toEqual([60000, 10000]);
    expect(await test.image(9999)).toMatchObject({ height: 28, width: 28, channels: 1 });
    expect(train.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    // First labels of the distribution.
    expect([0, 1, 2, 3, 4].map((i) => train.label(i))).toEqual([5, 0, 4, 1, 9]);
    expect([0, 1, 2].map((i) => test.label(i))).toEqual([7, 2, 1]);
  });

  it('has the statistics it is normalised with', async () => {
    const train = await openDataset({ dataset: 'mnist', split: 'train', path: embeddedMnist() });
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < train.size; i++) {
      for (const value of (await train.image(i)).pixels) {
        sum += value;
        squares += value * value;
      }
    }
    const count = train.size * 28 * 28;
    const mean = sum / count;
    expect(train.statistics.mean[0]).toBeCloseTo(mean / 255, 4);
    expect(train.statistics.std[0]).toBeCloseTo(Math.sqrt(squares / count - mean * mean) / 255, 4);
  });
});

describe('a folder of IDX files', () => {
  it('gives images and labels by index', async () => {
    const folder = join(root, 'plain');
    writeMnist(folder, 12, 2);
    const data = await openDataset({ dataset: 'mnist', split: 'train', path: folder });
    expect(data.size).toBe(12);
    expect([...(await data.image(3)).pixels]).toEqual([21, 22, 23, 24]);
    expect(data.label(11)).toBe(1);
    expect(data.describe(11)).toBe('train #11');
  });

  it('may be packed and use dots in its names', async () => {
    const folder = join(root, 'packed');
    writeFile(join(folder, 't10k-images.idx3-ubyte.gz'), gzipSync(idxBytes([1, 2, 2], [1, 2, 3, 4])));
    writeFile(join(folder, 't10k-labels.idx1-ubyte'), idxBytes([1], [4]));
    const data = await openDataset({ dataset: 'mnist', split: 'test', path: folder });
    expect([...(await data.image(0)).pixels]).toEqual([1, 2, 3, 4]);
  });

  it('counts more than ten classes where the labels do', async () => {
    const folder = join(root, 'letters');
    writeFile(join(folder, 'train-images-idx3-ubyte'), idxBytes([2, 1, 1], [1, 2]));
    writeFile(join(folder, 'train-labels-idx1-ubyte'), idxBytes([2], [3, 26]));
    expect((await openDataset({ dataset: 'mnist', split: 'train', path: folder })).classes).toHaveLength(27);
  });

  it('is refused with the names looked for when a file is missing', async () => {
    const folder = join(root, 'half');
    writeMnist(folder, 2);
    rmSync(join(folder, 'train-labels-idx1-ubyte'));
    await expect(openDataset({ dataset: 'mnist', split: 'train', path: folder })).rejects.toThrow(/half: none of 'train-labels-idx1-ubyte'.*\n.*data\.path/);
  });

  it('is refused when the folder does not exist', async () => {
    await expect(openDataset({ dataset: 'mnist', split: 'train', path: join(root, 'nowhere') })).rejects.toThrow(DataError);
  });

  it('is refused when images and labels differ in number', async () => {
    const folder = join(root, 'uneven');
    writeMnist(folder, 3);
    writeFile(join(folder, 'train-labels-idx1-ubyte'), idxBytes([2], [1, 2]));
    await expect(openDataset({ dataset: 'mnist', split: 'train', path: folder })).rejects.toThrow('has 2 labels for 3 images');
  });

  it('is refused when it holds no image', async () => {
    const folder = join(root, 'empty');
    writeMnist(folder, 0);
    await expect(openDataset({ dataset: 'mnist', split: 'train', path: folder })).rejects.toThrow('holds no pixels');
  });

  it('has no sample outside its range', async () => {
    const folder = join(root, 'range');
    writeMnist(folder, 3);
    const data = await openDataset({ dataset: 'mnist', split: 'train', path: folder });
    for (const bad of [-1, 3, 0.5]) {
      expect(() => data.label(bad)).toThrow(`there is no sample ${bad}`);
      await expect(data.image(bad)).rejects.toThrow('samples 0 .. 2');
    }
  });
});
