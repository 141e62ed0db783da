import { CompositionError, DataError, type Encoder, type Objective, type ParamSpecs, type PlanTensors } from '@mimlab/core';
import type { Dataset, Loader, LoaderBatch } from '@mimlab/data';
import { createEagerEngine, type Engine } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { extractFeatures, pixelFeatures } from './features.js';

const SPECS: ParamSpecs = { scale: { shape: [1], trainable: true, layout: { kind: 'same' }, init: () => Float32Array.of(1) } };
const seen: PlanTensors[] = [];

/** Tokens are the two pixels of an image times a parameter; the class token is their difference. */
const encoderWith = (cls: boolean): Encoder => ({
  grid: { rows: 1, columns: 2 },
  features: { latent: { width: 1, cells: 'visible', cls } },
  output: 'latent',
  params: () => SPECS,
  macs: () => ({}),
  encode(images_BHWC, plan, params) {
    seen.push(plan);
    const tokens_BN1 = tf.mul(tf.reshape(images_BHWC, [plan.batch, 2, 1]), params['scale'] as tf.Tensor);
    const left = tf.slice(tokens_BN1, [0, 0, 0], [plan.batch, 1, 1]);
    const right = tf.slice(tokens_BN1, [0, 1, 0], [plan.batch, 1, 1]);
    return { latent: cls ? tf.concat([tf.sub(right, left), tokens_BN1], 1) : tokens_BN1 };
  },
});
const objectiveWith = (cls: boolean): Objective => {
  const encoder = encoderWith(cls);
  return { encoder, grid: encoder.grid } as Objective;
};

const IMAGES = [[0, 10], [20, 30], [40, 60]];
const released: number[] = [];

/** Three images of 1 x 2 pixels, in batches of two; the last batch is short. */
function loader(size = 3): Loader {
  const batch = (index: number, rows: number[][]): LoaderBatch => ({
    inputs: { images: { shape: [rows.length, 1, 2, 1], dtype: 'uint8', data: Uint8Array.from(rows.flat()) } },
    labels: Int32Array.from(rows, (_, i) => 2 * index + i + 5),
    sampleIds: new Int32Array(rows.length),
    crops: [],
    epoch: 0,
    index,
    release: () => released.push(index),
  });
  return {
    size,
    dataset: { statistics: { mean: [0], std: [1 / 255] } } as unknown as Dataset,
    batchesPerEpoch: 2,
    async *epoch() {
      yield batch(0, IMAGES.slice(0, 2));
      yield batch(1, IMAGES.slice(2));
    },
    wholeImages: () => {
      throw new Error('features come from an epoch');
    },
    timings: () => ({ read: 0, decode: 0, augment: 0, plan: 0, host: 0, wait: 0 }),
    close: async () => undefined,
  };
}

let engine: Engine;
beforeEach(async () => {
  seen.length = 0;
  released.length = 0;
  engine = await createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' });
  await engine.define({ scale: { shape: [1], init: () => Float32Array.of(2) } });
});
afterEach(() => {
  engine.dispose();
});

const rounded = (values: Float32Array): number[] => [...values].map((value) => Math.round(value * 1000) / 1000);

describe('features of an encoder', () => {
  it('are the mean of the patch tokens, class token left out, in the order of the loader', async () => {
    const features = await extractFeatures({ objective: objectiveWith(true), engine, loader: loader(), pool: 'mean' });
    expect(rounded(features.values)).toEqual([10, 50, 100]);
    expect(features).toMatchObject({ width: 1, count: 3, labels: Int32Array.of(5, 6, 7) });
  });

  it('are the class token where it is asked for', async () => {
    const features = await extractFeatures({ objective: objectiveWith(true), engine, loader: loader(), pool: 'cls' });
    expect(rounded(features.values)).toEqual([20, 20, 40]);
  });

  it('are all patch tokens in raster order, class token left out, where they are asked for', async () => {
    const features = await extractFeatures({ objective: objectiveWith(true), engine, loader: loader(), pool: 'tokens' });
    expect(rounded(features.values)).toEqual(IMAGES.flat().map((value) => 2 * value));
    expect(features).toMatchObject({ width: 2, count: 3 });
  });

  it('are projected on directions, the short last batch too', async () => {
    const directions = { shape: [2, 3], dtype: 'float32', data: Float32Array.of(1, 0, 1, 0, 1, -1) } as const;
    const features = await extractFeatures({ objective: objectiveWith(false), engine, loader: loader(), pool: 'tokens', directions });
    expect(rounded(features.values)).toEqual(IMAGES.flatMap(([a = 0, b = 0]) => [2 * a, 2 * b, 2 * (a - b)]));
    expect(features).toMatchObject({ width: 3, count: 3 });
  });

  it('come from an encoder that sees every patch, in raster order', async () => {
    await extractFeatures({ objective: objectiveWith(false), engine, loader: loader(), pool: 'mean' });
    expect(seen.map(({ batch, counts }) => [batch, counts])).toEqual(Array(2).fill([2, { visible: 2, retained: 0, thrown: 0 }]));
  });

  it('give the buffers back to the loader and leave the weights alone', async () => {
    await extractFeatures({ objective: objectiveWith(false), engine, loader: loader(), pool: 'mean' });
    expect(released).toEqual([0, 1]);
    expect([...((await engine.read(['scale']))['scale']?.data ?? [])]).toEqual([2]);
  });

  it('cannot be a class token that the encoder does not have', async () => {
    const run = extractFeatures({ objective: objectiveWith(false), engine, loader: loader(), pool: 'cls' });
    await expect(run).rejects.toThrow(CompositionError);
    await expect(run).rejects.toThrow('the encoder has no class token');
  });

  it('cannot be read off an encoder whose output is none of its features', async () => {
    const { encoder, grid } = objectiveWith(true);
    await expect(extractFeatures({ objective: { encoder: { ...encoder, output: 'last' }, grid }, engine, loader: loader(), pool: 'mean' })).rejects.toThrow(`encoder: the encoder has no feature 'last' that evaluation could read`);
  });

  it('are normalised by the statistics given in place of those of the data set', async () => {
    const { values } = await extractFeatures({ objective: objectiveWith(false), engine, loader: loader(), pool: 'mean', statistics: { mean: [0], std: [2 / 255] } });
    expect(rounded(values)).toEqual([5, 25, 50]);
  });

  it('are refused from a loader that leaves samples out', async () => {
    await expect(extractFeatures({ objective: objectiveWith(false), engine, loader: loader(4), pool: 'mean' })).rejects.toThrow(DataError);
  });
});

describe('features of pixels', () => {
  it('are the normalised pixels', async () => {
    const features = await pixelFeatures(loader());
    expect(rounded(features.values)).toEqual(IMAGES.flat());
    expect(features).toMatchObject({ width: 2, count: 3 });
  });
});
