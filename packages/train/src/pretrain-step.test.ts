import type { Objective, ObjectiveBatch, ParamSpecs } from '@mimlab/core';
import { planSpecs, sizeOfShape, type NamedHostTensors } from '@mimlab/core';
import { createEagerEngine, type Engine } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TrainConfig } from './config.js';
import { blankState, evaluationStep, parameterState, pretrainStep } from './pretrain-step.js';

const GRID = { rows: 1, columns: 2 };
const COUNTS = { visible: 1, retained: 1, thrown: 0 };
const SPECS: ParamSpecs = {
  'w.weight': { shape: [1, 1], trainable: true, layout: { kind: 'linear' }, init: (_, random) => Float32Array.of(random.uniform()) },
  frozen: { shape: [1], trainable: false, layout: { kind: 'same' }, init: () => Float32Array.of(3) },
};
const trainings: boolean[] = [];

/** Loss: mean of (pixel * w) squared, plus the frozen parameter; noise from the hooks is told as a part. */
const objective = {
  grid: GRID,
  params: () => SPECS,
  evaluate: ({ images_BHWC, random }: ObjectiveBatch, params: Record<string, tf.Tensor>, training: boolean) => {
    trainings.push(training);
    const scaled = tf.mul(images_BHWC, tf.reshape(params['w.weight'] as tf.Tensor, []));
    const loss = tf.add(tf.mean(tf.square(scaled)), tf.reshape(params['frozen'] as tf.Tensor, [])) as tf.Scalar;
    const noise = tf.sum(random?.['noise'] as tf.Tensor) as tf.Scalar;
    return { loss, parts: { noise }, features: { latent: scaled }, predictions: { main: { values: { pixels: scaled }, cells: 'grid' } }, targets: { main: { pixels: images_BHWC } } };
  },
} as unknown as Objective;

const statistics = { mean: [0], std: [1 / 255] };
const inputs: NamedHostTensors = {
  images: { shape: [1, 1, 2, 1], dtype: 'uint8', data: Uint8Array.of(1, 3) },
  'random.noise': { shape: [2], dtype: 'float32', data: Float32Array.of(0.25, 0.5) },
  ...Object.fromEntries(Object.entries(planSpecs(1, GRID, COUNTS)).map(([name, spec]) => [name, { ...spec, data: new Int32Array(sizeOfShape(spec.shape)) }])),
};

describe('blank state', () => {
  it('has the shapes of the parameters and zeros everywhere', () => {
    const blank = blankState(SPECS);
    expect(Object.keys(blank)).toEqual(Object.keys(SPECS));
    expect([blank['frozen']?.shape, [...(blank['frozen']?.init() ?? [])]]).toEqual([[1], [0]]);
  });
});

describe('the definition of the step', () => {
  it('has a cache key only where it is given one', () => {
    const config = TrainConfig.parse({ epochs: 50 });
    expect(pretrainStep(objective, statistics, config, 'k').cacheKey).toBe('k');
    expect('cacheKey' in pretrainStep(objective, statistics, config)).toBe(false);
  });
});

let engine: Engine;
beforeEach(async () => {
  trainings.length = 0;
  engine = await createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' });
  await engine.define({ ...parameterState(SPECS, 1), 'w.weight': { shape: [1, 1], init: () => Float32Array.of(2) } });
});
afterEach(() => {
  engine.dispose();
});
const weight = async (): Promise<number> => (await engine.read(['w.weight']))['w.weight']?.data[0] as number;

describe('starting values', () => {
  it('depend on seed and name alone', () => {
    const start = (seed: number): number[] => Object.values(parameterState(SPECS, seed)).map(({ init }) => init()[0] as number);
    expect(start(1)).toEqual(start(1));
    expect(start(1)[0]).not.toBe(start(2)[0]);
    const alone = parameterState({ 'w.weight': SPECS['w.weight']! }, 1)['w.weight'];
    expect(alone?.init()[0]).toBe(start(1)[0]);
  });
});

describe('the step of pre-training', () => {
  const config = TrainConfig.parse({ weightDecay: 0 });

  it('gives loss, parts and gradient norm, and moves trainable parameters by AdamW', async () => {
    const step = engine.compile(pretrainStep(objective, statistics, config));
    const { metrics } = await step.run(inputs, { lr: 0.5, update: 1 });
    // Pixels 1 and 3, w = 2: mean of 4 and 36, plus 3; the gradient is 2 * w * mean of 1 and 9.
    expect(metrics).toEqual({ loss: expect.closeTo(23, 4), noise: 0.75, gradNorm: expect.closeTo(20, 4) });
    expect(await weight()).toBeCloseTo(1.5, 5);
    expect((await engine.read(['frozen']))['frozen']?.data[0]).toBe(3);
    expect(trainings).toEqual([true]);
  });

  it('gives features, predictions and targets on request', async () => {
    const step = engine.compile(pretrainStep(objective, statistics, config));
    const { outputs } = await step.run(inputs, { lr: 0, update: 1, outputs: ['features.latent', 'predictions.main.pixels', 'targets.main.pixels'] });
    const rounded = Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...data].map((value) => Math.round(value * 1e4) / 1e4)]));
    expect(rounded).toEqual({ 'features.latent': [2, 6], 'predictions.main.pixels': [2, 6], 'targets.main.pixels': [1, 3] });
  });

  it('declares accumulation and clipping as configured', () => {
    expect(pretrainStep(objective, statistics, config).optimize).toMatchObject({ accumulate: 1 });
    expect(pretrainStep(objective, statistics, config).optimize).not.toHaveProperty('clipNorm');
    const clipped = TrainConfig.parse({ accumulate: 4, clipNorm: 2 });
    expect(pretrainStep(objective, statistics, clipped).optimize).toMatchObject({ accumulate: 4, clipNorm: 2 });
  });
});

describe('the step of evaluation', () => {
  it('gives the same loss, without training', async () => {
    const { metrics } = await engine.compile(evaluationStep(objective, statistics)).run(inputs);
    expect(metrics['loss']).toBeCloseTo(23, 4);
    expect(await weight()).toBe(2);
    expect(trainings).toEqual([false]);
  });
});
