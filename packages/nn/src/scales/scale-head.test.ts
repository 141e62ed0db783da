import * as tf from '@tensorflow/tfjs';
import { randomStream, toFileLayout, type Params, type ParamSpecs } from '@mimlab/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { scaleHead, scaleHeadParams } from './scale-head.js';

const paramsOf = (specs: ParamSpecs): Params => Object.fromEntries(Object.entries(specs).map(([name, { shape, init }]) => [name, tf.tensor(init(shape, randomStream(name)), [...shape])]));
const values = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend('cpu');
});

describe('heads', () => {
  it('have the official places and shapes of their layers', () => {
    const files = (scale: 4 | 2 | 1 | 0.5) =>
      Object.entries(scaleHeadParams('pred', scale, 8, 3)).map(([name, { shape, layout }]) => {
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
      const params = paramsOf(scaleHeadParams('pred', scale, 8, 3));
      const rows = tf.randomNormal<tf.Rank.R2>([2, 8], 0, 1, 'float32', 1);
      const both = scaleHead(rows, params, 'pred', scale);
      expect(both.shape).toEqual([2, scale * scale * 3]);
      const second = scaleHead(tf.slice(rows, [1, 0], [1, 8]), params, 'pred', scale);
      values(second).forEach((value, i) => expect(value).toBeCloseTo(values(both)[scale * scale * 3 + i]!, 5));
    }
  });

  it('give squares in raster order', () => {
    // Only output pixel (row 1, column 0) of the first and (row 0, column 1) of the second doubling are lit: row 2, column 1 of four.
    const specs = scaleHeadParams('pred', 4, 4, 1);
    const params: Record<string, tf.Tensor> = Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => [name, tf.zeros([...shape])]));
    const lit = (shape: readonly number[], column: number): tf.Tensor => tf.tensor(Float32Array.from({ length: shape[0]! * shape[1]! }, (_, i) => (i % shape[1]! === column ? 1 : 0)), [...shape]);
    params['pred.0.weight'] = lit(specs['pred.0.weight']!.shape, 2 * 2);
    params['pred.1.weight'] = tf.ones([2]);
    params['pred.3.weight'] = lit(specs['pred.3.weight']!.shape, 1);
    params['pred.4.weight'] = tf.ones([1, 1]);
    const out = values(scaleHead(tf.ones([1, 4]), params, 'pred', 4));
    expect(out.flatMap((value, i) => (Math.abs(value) > 0.5 ? [i] : []))).toEqual([2 * 4 + 1]);
  });
});
