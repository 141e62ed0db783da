import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { DataError } from './errors.js';
import { createObjective } from './objective.js';
import { stackPlans } from './plan/plan-batch.js';
import { examplePlan, hostTargetInputs, normalizeImages, objectiveBatch, stepInputSpecs } from './step-inputs.js';
import { tinyRun } from './tiny-method.test-support.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});
const statistics = { mean: [0.5], std: [0.25] };

describe('the inputs of a step', () => {
  it('are images, plan, host targets and random draws, each with its shape', () => {
    const specs = stepInputSpecs(createObjective(tinyRun()), 3);
    expect(specs).toMatchObject({
      images: { shape: [3, 2, 2, 1], dtype: 'uint8' },
      'plan.visible': { shape: [3, 1], dtype: 'int32' },
      'plan.gridRows': { shape: [12], dtype: 'int32' },
      'host.mean': { shape: [3, 1], dtype: 'float32' },
      'random.noise': { shape: [3], dtype: 'float32' },
    });
    expect(Object.keys(specs).filter((name) => !/^(images$|plan\.|host\.|random\.)/.test(name))).toEqual([]);
  });

  it('reach the hooks under their own names, pixels normalised', () => {
    tf.tidy(() => {
      const plan = { grid: { rows: 2, columns: 2 }, visible: Int32Array.of(0), retained: Int32Array.of(1, 2, 3), thrown: new Int32Array(0) };
      const planInputs = Object.fromEntries(Object.entries(stackPlans([plan])).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], 'int32')]));
      const images = tf.tensor4d([0, 255, 51, 204], [1, 2, 2, 1], 'int32');
      const batch = objectiveBatch({ images, ...planInputs, 'host.mean': tf.tensor2d([[4]]), 'random.noise': tf.tensor1d([5]) }, createObjective(tinyRun()), statistics);
      Array.from(batch.images_BHWC.dataSync()).forEach((value, i) => expect(value).toBeCloseTo([-2, 2, -1.2, 1.2][i]!, 5));
      expect(batch.plan.counts.retained).toBe(3);
      expect([Object.keys(batch.host ?? {}), Object.keys(batch.random ?? {})]).toEqual([['mean'], ['noise']]);
    });
  });

  it('hold the arrays of a plan beside those of its counts, once for each image unless one plan serves the batch', () => {
    const objective = createObjective(tinyRun());
    const plan = { ...examplePlan(objective), aux: { groups: Int32Array.of(1, 2, 3) } };
    expect(stepInputSpecs(objective, 2)['plan.aux.groups']).toBeUndefined();
    expect(stepInputSpecs(objective, 2, plan)['plan.aux.groups']).toEqual({ shape: [2, 3], dtype: 'int32' });
    const shared = { ...objective, sampler: { ...objective.sampler, scope: 'batch' as const } };
    expect(stepInputSpecs(shared, 2, plan)['plan.aux.groups']).toEqual({ shape: [3], dtype: 'int32' });
  });

  it('lack images: refused', () => {
    expect(() => objectiveBatch({}, createObjective(tinyRun()), statistics)).toThrow(DataError);
  });
});

describe('host targets as inputs', () => {
  it('stand under their names with a prefix, one row an image', () => {
    const hostTargets = { shapes: { ends: [2] }, compute: (pixels: Uint8Array) => ({ ends: Float32Array.of(pixels[0]!, pixels.at(-1)!) }) };
    expect(hostTargetInputs({ hostTargets }, [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6)])).toEqual({
      'host.ends': { shape: [2, 2], dtype: 'float32', data: Float32Array.of(1, 3, 4, 6) },
    });
  });

  it('are none where the target computes everything in the step', () => {
    expect(hostTargetInputs({}, [Uint8Array.of(1)])).toEqual({});
  });
});

describe('an example of a plan', () => {
  it('has the counts that the sampler promises, and is the same every time', () => {
    const objective = createObjective(tinyRun());
    const { visible, retained } = objective.sampler.counts(objective.grid);
    const plan = examplePlan(objective, 4);
    expect([plan.visible.length, plan.retained.length]).toEqual([visible, retained]);
    expect(examplePlan(objective, 4)).toEqual(plan);
  });
});

describe('normalizeImages', () => {
  it('takes mean and deviation channel by channel', () => {
    tf.tidy(() => {
      const normalised = normalizeImages(tf.tensor4d([255, 0], [1, 1, 1, 2]), { mean: [0, 0.5], std: [1, 0.5] });
      Array.from(normalised.dataSync()).forEach((value, i) => expect(value).toBeCloseTo([1, -1][i]!, 5));
    });
  });
});
