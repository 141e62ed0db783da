import * as tf from '@tensorflow/tfjs-core';
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import './host.fixture.js';
import { choose, merged, mergedApart } from './merge.js';

const column = (...values: number[]): Tensor3D => tf.tensor3d(values, [1, values.length, 1]);
const numbers = (x: tf.Tensor): number[] => Array.from(x.dataSync());
/** Three cells, the middle one thrown. */
const thrown = column(0, 1, 0);
const grid = column(1, 0, 3);
const aggregated = column(10, 20, 30);

describe('modes', () => {
  test('thrown-only takes the aggregation at thrown cells only', () => expect(numbers(merged('thrown-only', grid, aggregated, thrown))).toEqual([1, 20, 3]));
  test('residual adds it everywhere', () => expect(numbers(merged('residual', grid, aggregated, thrown))).toEqual([11, 20, 33]));
  test('replace-all takes it everywhere', () => expect(numbers(merged('replace-all', grid, aggregated, thrown))).toEqual([10, 20, 30]));
});

test('choosing sends each gradient to the side it came from', () => {
  const loss = (inside: tf.Tensor, outside: tf.Tensor): tf.Scalar => tf.sum(tf.mul(choose(thrown, inside as Tensor3D, outside as Tensor3D), column(5, 6, 7)));
  const [inside, outside] = tf.grads(loss)([aggregated, grid]) as [tf.Tensor, tf.Tensor];
  expect(numbers(inside)).toEqual([0, 6, 0]);
  expect(numbers(outside)).toEqual([5, 0, 7]);
});

describe.each(['thrown-only', 'residual', 'replace-all'] as const)('apart, %s', (merge) => {
  const double = (x: Tensor3D): Tensor3D => tf.mul(x, 2);
  test('has the values of the plain merge', () => {
    expect(numbers(mergedApart(merge, grid, grid, double, thrown))).toEqual(numbers(merged(merge, grid, double(grid), thrown)));
  });
  test('lets nothing back from thrown cells, and everything from the others', () => {
    const at = (weights: Tensor3D, held: boolean): number[] =>
      numbers(
        tf.grad((x: tf.Tensor) => {
          const input = x as Tensor3D;
          const out = held ? mergedApart(merge, input, input, double, thrown) : merged(merge, input, double(input), thrown);
          return tf.sum(tf.mul(out, weights));
        })(grid),
      );
    expect(at(thrown, true)).toEqual([0, 0, 0]);
    expect(at(column(1, 0, 1), true)).toEqual(at(column(1, 0, 1), false));
  });
});
