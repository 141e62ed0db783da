import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '@mimlab/core';
import type { DatasetRef, Loader } from '@mimlab/data';
import { describe, expect, it } from 'vitest';
import { greyPng } from '../../testing/grey-png.js';
import { IMAGE, patternOf, temporaryFolder, writePatterns } from '../../testing/tiny-evaluation.js';
import { parseLabelBudget } from '../label-subset.js';
import { openEvaluationData, type EvaluationDataOptions } from './evaluation-data.js';

const root = temporaryFolder();
const mnist = writePatterns(join(root, 'mnist'), 32, 6);

/** Class folders of `count` images each, `side` pixels wide; `first` numbers the first image, so that folders may share some. */
function folder(name: string, classes: readonly string[], count: number, side = 8, first = 0): string {
  const path = join(root, name);
  for (const [label, kind] of classes.entries()) {
    mkdirSync(join(path, kind), { recursive: true });
    for (let i = first; i < first + count; i++) writeFileSync(join(path, kind, `${i}.png`), greyPng(side, Uint8Array.from(patternOf(label, randomStream('image', kind, i), side))));
  }
  return path;
}
const train = (path: string): DatasetRef => ({ dataset: 'imagefolder', path, split: 'train', channels: 1 });
const test = (path: string): DatasetRef => ({ dataset: 'imagefolder', path, split: 'test', testAlone: true, channels: 1 });

const SETTINGS: EvaluationDataOptions = { test: { ...mnist, split: 'test' }, image: IMAGE, cropFraction: 1, labels: 'all', seed: 1, workers: 0, prefetch: 0 };
const open = (more: Partial<EvaluationDataOptions> = {}) => openEvaluationData({ ...SETTINGS, train: mnist, ...more });

/** Labels of all batches of one epoch. */
async function batchesOf(loader: Loader): Promise<number[][]> {
  const found: number[][] = [];
  for await (const batch of loader.epoch(0)) {
    found.push([...batch.labels]);
    batch.release();
  }
  await loader.close();
  return found;
}

describe('the data of an evaluation', () => {
  it('are every test image once, in order, the last short batch too', async () => {
    const { data } = await open();
    expect([data.trainSize, data.testSize, data.classes.length]).toEqual([32, 6, 10]);
    expect(await batchesOf(await data.openTest(4))).toEqual([[0, 1, 2, 3], [0, 1]]);
  });

  it('are all labelled images in order, or shuffled without the last short batch', async () => {
    const { data } = await open();
    const request = { batch: 12, augment: { kind: 'none', cropFraction: 1 } } as const;
    const inOrder = await batchesOf(await data.openTrain({ ...request, shuffle: false }));
    expect(inOrder.map((labels) => labels.length)).toEqual([12, 12, 8]);
    expect(inOrder.flat()).toEqual(Array.from({ length: 32 }, (_, i) => i % 4));
    const shuffled = await batchesOf(await data.openTrain({ ...request, shuffle: true }));
    expect(shuffled.map((labels) => labels.length)).toEqual([12, 12]);
    expect(shuffled.flat()).not.toEqual(inOrder.flat().slice(0, 24));
  });

  it('are fewer where few labels are asked for, as many of every class', async () => {
    const { data } = await open({ labels: parseLabelBudget('2') });
    expect(data.trainSize).toBe(8);
    const labels = (await batchesOf(await data.openTrain({ batch: 8, augment: { kind: 'none', cropFraction: 1 }, shuffle: false }))).flat();
    expect(labels.sort()).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  it('are test images alone for protocols that learn nothing, and say so where labelled ones are asked for', async () => {
    const { data, leaks } = await openEvaluationData({ ...SETTINGS, leaks: () => undefined });
    expect([data.trainSize, data.testSize, leaks]).toEqual([0, 6, []]);
    await expect(data.openTrain({ batch: 1, augment: { kind: 'none', cropFraction: 1 }, shuffle: false })).rejects.toThrow(/no labelled images/);
  });

  it('are refused where the splits have other classes, both lists shown', async () => {
    const options = { train: train(folder('animals', ['cat', 'dog'], 1)), test: test(folder('other', ['cat', 'eel'], 1)) };
    await expect(open(options)).rejects.toThrow(/different classes:[\s\S]*cat, dog[\s\S]*cat, eel[\s\S]*only the training images: dog[\s\S]*only the test images: eel/);
  });

  it('are refused where a class has fewer images than labels asked for', async () => {
    await expect(open({ labels: parseLabelBudget('9') })).rejects.toThrow(/class 0 has 8 samples, 9 are asked for/);
  });
});

describe('leaks', () => {
  const path = folder('leaky/train', ['cat', 'dog'], 2);
  const options = { train: train(path), test: test(folder('leaky/test', ['cat', 'dog'], 2, 8, 1)) };

  it('are looked for when asked to, and among the images in use', async () => {
    expect((await open({ ...options, leaks: () => undefined })).leaks.map(({ train: one, test: other }) => [/(cat|dog).1\.png/.test(one), /(cat|dog).1\.png/.test(other)])).toEqual([[true, true], [true, true]]);
    expect((await open(options)).leaks).toEqual([]);
  });
});

describe('further test images', () => {
  it('have classes, a number and a size of their own', async () => {
    const { data } = await open();
    const images = await data.testFolder(folder('sketch', ['3', '猫'], 2, 10));
    expect([images.classes, images.size]).toEqual([['3', '猫'], 4]);
    expect(await images.firstImage()).toMatchObject({ height: 10, width: 10 });
    expect(await batchesOf(await images.open(3))).toEqual([[0, 0, 1], [1]]);
  });

  it('are cut out as the test images are, unless they are told otherwise', async () => {
    const { data } = await open();
    const images = await data.testFolder(folder('large', ['0'], 1, 16));
    const pixels = async (fraction?: number): Promise<number[]> => {
      const loader = await images.open(1, fraction);
      try {
        for await (const { inputs } of loader.epoch(0)) return [...(inputs['images']?.data ?? [])];
        throw new Error('there is no image');
      } finally {
        await loader.close();
      }
    };
    expect(await pixels()).toEqual(await pixels(1));
    expect(await pixels(0.5)).not.toEqual(await pixels(1));
  });

  it('are named where they are missing', async () => {
    const { data } = await open();
    await expect(data.testFolder(join(root, 'nowhere'))).rejects.toThrow(/nowhere/);
  });
});
