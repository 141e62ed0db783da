import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectValues } from '../../test-support/gradient-check.js';
import { planOf, tensorsOf } from '../../test-support/plans.js';
import { atCells, scoredMean } from './scored-mean.js';

const grid = { rows: 2, columns: 2 };
const number = (scalar: tf.Tensor | undefined): number => scalar!.dataSync()[0] as number;

onEveryBackend('scoredMean', () => {
  it('averages the losses of retained tokens by the weights of their cells', () => {
    const plan = tensorsOf([planOf(grid, [3, 1, 0, 2], 1, 3)]);
    // Retained cells 1, 0, 2 weigh 1, 2, 0.
    const { loss, parts } = scoredMean(tf.tensor2d([[3, 6, 30]]), 'retained', tf.tensor2d([[2, 1, 0, 7]]), plan);
    expect(number(loss)).toBeCloseTo((3 * 1 + 6 * 2) / 3, 5);
    expect(number(parts['retained'])).toBeCloseTo(13, 5);
    expect(parts['thrown']).toBeUndefined();
  });

  it('leaves the visible tokens of a known set out', () => {
    const plan = tensorsOf([planOf(grid, [3, 1, 0, 2], 1, 3)]);
    const { loss, parts } = scoredMean(tf.tensor2d([[100, 1, 2, 3]]), 'known', tf.tensor2d([[1, 1, 1, 0]]), plan);
    expect(number(loss)).toBeCloseTo(2, 5);
    expect(number(parts['retained'])).toBeCloseTo(2, 5);
  });

  it('tells retained and thrown tokens of a grid apart, whatever they weigh', () => {
    const plan = tensorsOf([planOf(grid, [0, 3, 1, 2], 1, 1), planOf(grid, [1, 0, 2, 3], 1, 1)]);
    const losses = tf.tensor2d([[50, 2, 4, 6], [8, 50, 10, 12]]);
    const weights = tf.tensor2d([[0, 1, 1, 3], [3, 0, 1, 1]]);
    const { loss, parts } = scoredMean(losses, 'grid', weights, plan);
    expect(number(loss)).toBeCloseTo((2 + 4 + 18 + 24 + 10 + 12) / 10, 5);
    expect(number(parts['retained'])).toBeCloseTo((6 + 8) / 2, 5);
    expect(number(parts['thrown'])).toBeCloseTo((2 + 4 + 10 + 12) / 4, 5);
  });

  it('leaves repeated mask tokens out of the mean, and counts thrown tokens image by image', () => {
    const plan = tensorsOf([
      { ...planOf(grid, [0, 1, 2, 3], 1, 2), repeated: new Int32Array(0) },
      { ...planOf(grid, [3, 0, 1, 2], 1, 1), repeated: Int32Array.of(3) },
    ]);
    const weights = tf.tensor2d([[0, 1, 1, 0], [1, 0, 0, 0]]);
    // Cells 1 and 2 of the first image, 0 and the repeated 3 of the second.
    const retained = scoredMean(tf.tensor2d([[1, 2], [6, 100]]), 'retained', weights, plan);
    expect(number(retained.loss)).toBeCloseTo(3, 5);
    expect(number(retained.parts['retained'])).toBeCloseTo(3, 5);
    expect(number(scoredMean(tf.tensor2d([[50, 1, 2], [50, 6, 100]]), 'known', weights, plan).parts['retained'])).toBeCloseTo(3, 5);
    const grids = scoredMean(tf.tensor2d([[50, 1, 2, 8], [6, 9, 10, 50]]), 'grid', weights, plan);
    expect(number(grids.parts['retained'])).toBeCloseTo(3, 5);
    expect(number(grids.parts['thrown'])).toBeCloseTo(9, 5);
  });

  it('averages over the whole batch, not image by image', () => {
    const plan = tensorsOf([planOf(grid, [0, 1, 2, 3], 2, 2), planOf(grid, [0, 1, 2, 3], 2, 2)]);
    const { loss } = scoredMean(tf.tensor2d([[1, 1], [5, 5]]), 'retained', tf.tensor2d([[0, 0, 1, 1], [0, 0, 1, 0]]), plan);
    expect(number(loss)).toBeCloseTo(7 / 3, 5);
  });
});

onEveryBackend('values at cells', () => {
  it('are taken from raster order to known, retained or grid order', () => {
    const plan = tensorsOf([planOf(grid, [3, 1, 0, 2], 1, 2)]);
    const values = tf.tensor3d([[[0, 0], [1, 10], [2, 20], [3, 30]]]);
    expectValues(atCells(values, plan, 'known'), [3, 30, 1, 10, 0, 0]);
    expectValues(atCells(values, plan, 'retained'), [1, 10, 0, 0]);
    expect(atCells(values, plan, 'grid')).toBe(values);
  });
});
