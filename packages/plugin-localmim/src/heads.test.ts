import * as tf from '@tensorflow/tfjs';
import { planTensors, randomStream, stackPlans, toFileLayout, type Params, type ParamSpecs, type PlanTensors } from '@mimlab/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { groupSums, headParams, pooledRows, predictRows } from './heads.js';

const grid = { rows: 2, columns: 4 };
const paramsOf = (specs: ParamSpecs): Params => Object.fromEntries(Object.entries(specs).map(([name, { shape, init }]) => [name, tf.tensor(init(shape, randomStream(name)), [...shape])]));
const planWith = (visible: number[], retained: number[], thrown: number[]): PlanTensors => {
  const plan = { grid, visible: Int32Array.from(visible), retained: Int32Array.from(retained), thrown: Int32Array.from(thrown) };
  return planTensors(Object.fromEntries(Object.entries(stackPlans([plan])).map(([name, { data, shape }]) => [name, tf.tensor(data as Int32Array, [...shape], 'int32')])), grid);
};
const values = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend('cpu');
});

describe('heads', () => {
  it('have the official places and shapes of their layers', () => {
    const files = (scale: 4 | 2 | 1 | 0.5) =>
      Object.entries(headParams('pred', scale, 8, 3)).map(([name, { shape, layout }]) => {
        const size = shape.reduce((a, b) => a * b);
        return `${name} [${toFileLayout(layout, { shape, dtype: 'float32', data: new Float32Array(size) }).shape.join(', ')}]`;
      });
    expect(files(4)).toEqual(['pred.0.weight [8, 4, 2, 2]', 'pred.0.bias [4]', 'pred.1.weight [4]', 'pred.1.bias [4]', 'pred.3.weight [4, 2, 2, 2]', 'pred.3.bias [2]', 'pred.4.weight [3, 2, 1, 1]', 'pred.4.bias [3]']);
    expect(files(2)).toEqual(['pred.0.weight [8, 4, 2, 2]', 'pred.0.bias [4]', 'pred.1.weight [3, 4, 1, 1]', 'pred.1.bias [3]']);
    expect(files(1)).toEqual(['pred.0.weight [3, 8, 1, 1]', 'pred.0.bias [3]']);
    expect(files(0.5)).toEqual(['pred.1.weight [3, 8, 1, 1]', 'pred.1.bias [3]']);
  });

  it('predict squares of each row by itself', () => {
    for (const scale of [4, 2, 1] as const) {
      const params = paramsOf(headParams('pred', scale, 8, 3));
      const rows = tf.randomNormal<tf.Rank.R2>([2, 8], 0, 1, 'float32', 1);
      const both = predictRows(rows, params, 'pred', scale);
      expect(both.shape).toEqual([2, scale * scale * 3]);
      const second = predictRows(tf.slice(rows, [1, 0], [1, 8]), params, 'pred', scale);
      values(second).forEach((value, i) => expect(value).toBeCloseTo(values(both)[scale * scale * 3 + i]!, 5));
    }
  });

  it('give squares in raster order', () => {
    // Only output pixel (row 1, column 0) of the first and (row 0, column 1) of the second doubling are lit: row 2, column 1 of four.
    const specs = headParams('pred', 4, 4, 1);
    const params: Record<string, tf.Tensor> = Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => [name, tf.zeros([...shape])]));
    const lit = (shape: readonly number[], column: number): tf.Tensor => tf.tensor(Float32Array.from({ length: shape[0]! * shape[1]! }, (_, i) => (i % shape[1]! === column ? 1 : 0)), [...shape]);
    params['pred.0.weight'] = lit(specs['pred.0.weight']!.shape, 2 * 2);
    params['pred.1.weight'] = tf.ones([2]);
    params['pred.3.weight'] = lit(specs['pred.3.weight']!.shape, 1);
    params['pred.4.weight'] = tf.ones([1, 1]);
    const out = values(predictRows(tf.ones([1, 4]), params, 'pred', 4));
    expect(out.flatMap((value, i) => (Math.abs(value) > 0.5 ? [i] : []))).toEqual([2 * 4 + 1]);
  });
});

describe('groups of 2 x 2 cells', () => {
  it('are summed in raster order, image by image', () => {
    const cells = tf.tensor2d(Array.from({ length: 16 }, (_, i) => [i, 100]));
    expect(values(groupSums(cells, 2, grid))).toEqual([0 + 1 + 4 + 5, 400, 2 + 3 + 6 + 7, 400, 8 + 9 + 12 + 13, 400, 10 + 11 + 14 + 15, 400]);
  });

  it('are averaged over known tokens, whatever their order', () => {
    const plan = planWith([7, 0], [1, 5, 2, 3, 4, 6], []);
    const rows = tf.tensor2d([7, 0, 1, 5, 2, 3, 4, 6].map((cell) => [cell]));
    expect(values(pooledRows(rows, 'known', plan))).toEqual([2.5, 4.5]);
    expect(values(pooledRows(tf.tensor2d([0, 1, 2, 3, 4, 5, 6, 7].map((cell) => [cell])), 'grid', plan))).toEqual([2.5, 4.5]);
  });

  it('leave thrown tokens out of the mean instead of counting them as zeros', () => {
    const plan = planWith([0], [5], [1, 2, 3, 4, 6, 7]);
    expect(values(pooledRows(tf.tensor2d([[4], [6]]), 'known', plan))).toEqual([5, 0]);
  });
});
