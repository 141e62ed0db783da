import type { HostTensor } from '@mimlab/core';
import type { Engine } from '@mimlab/engine';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cpuEngine } from '../../testing/tiny-evaluation.js';
import { defineParameters } from '../model/define-state.js';
import { linearHeadParams, linearHeadStep, linearScoringStep } from './linear-head.js';

const specs = linearHeadParams(2, 3);
const matrix = (rows: readonly (readonly number[])[]): HostTensor => ({ shape: [rows.length, rows[0]?.length ?? 0], dtype: 'float32', data: Float32Array.from(rows.flat()) });
const FEATURES = matrix([[1, 10], [3, 10], [5, 40]]);
const TARGETS = matrix([[1, 0, 0], [0, 1, 0], [0, 0, 1]]);

let engine: Engine;
beforeEach(async () => {
  engine = await cpuEngine();
  await defineParameters(engine, specs, {}, 0);
});
afterEach(() => {
  engine.dispose();
});

const rounded = (data: HostTensor['data'] | undefined): number[] => Array.from(data ?? [], (value) => Math.round(value * 1e4) / 1e4);
const step = () => engine.compile(linearHeadStep(specs, { updates: { 'head.1.bias': { rule: { kind: 'lars', momentum: 0, trust: 1 }, decay: 0, lrScale: 1 } }, accumulate: 1 }));
const read = async (name: string): Promise<number[]> => rounded((await engine.read([name]))[name]?.data);

describe('the head of a linear probe', () => {
  it('has official names, running statistics that no gradient changes, and a small weight', () => {
    expect(Object.entries(specs).map(([name, { shape, trainable }]) => [name, shape, trainable])).toEqual([
      ['head.0.running_mean', [2], false],
      ['head.0.running_var', [2], false],
      ['head.1.weight', [2, 3], true],
      ['head.1.bias', [3], true],
    ]);
  });

  it('norms a batch by its own mean and biased variance', async () => {
    const { outputs } = await step().run({ features: FEATURES, targets: TARGETS }, { lr: 0, update: 1, outputs: ['normalized'] });
    const root = Math.sqrt(8 / 3);
    expect(rounded(outputs['normalized']?.data)).toEqual(rounded(Float32Array.of(-2 / root, -Math.SQRT1_2, 0, -Math.SQRT1_2, 2 / root, Math.SQRT2)));
  });

  it('keeps a tenth of each batch in its running statistics, the variance unbiased', async () => {
    await step().run({ features: FEATURES, targets: TARGETS }, { lr: 0, update: 1 });
    expect(await read('head.0.running_mean')).toEqual([0.3, 2]);
    expect(await read('head.0.running_var')).toEqual([0.9 + 0.4, 0.9 + 30]);
  });

  it('bears a batch of one image, whose variance is none', async () => {
    const { metrics } = await step().run({ features: matrix([[4, 4]]), targets: matrix([[1, 0, 0]]) }, { lr: 0, update: 1 });
    expect(metrics['loss']).toBeCloseTo(Math.log(3), 4);
    expect(await read('head.0.running_var')).toEqual([0.9, 0.9]);
  });

  it('scores by the running statistics, whatever else is in the batch', async () => {
    const weight = matrix([[1, 0, 2], [0, 1, 0]]);
    await engine.write({
      'head.0.running_mean': { shape: [2], dtype: 'float32', data: Float32Array.of(1, 2) },
      'head.0.running_var': { shape: [2], dtype: 'float32', data: Float32Array.of(4, 9) },
      'head.1.weight': weight,
      'head.1.bias': { shape: [3], dtype: 'float32', data: Float32Array.of(0, 0, 1) },
    });
    const scoring = engine.compile(linearScoringStep(specs));
    const score = async (rows: number[][]): Promise<number[]> => rounded((await scoring.run({ features: matrix(rows) }, { outputs: ['logits'] })).outputs['logits']?.data);
    expect(await score([[3, 5]])).toEqual([1, 1, 3]);
    expect(await score([[100, -7], [3, 5]])).toEqual([49.5, -3, 100, 1, 1, 3]);
  });
});
