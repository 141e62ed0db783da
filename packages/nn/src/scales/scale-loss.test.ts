import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { planOf, tensorsOf } from '../../test-support/plans.js';
import { lossAtScale, sumOfBranches } from './scale-loss.js';

const grid = { rows: 2, columns: 4 };
const number = (value: tf.Scalar): number => value.dataSync()[0]!;

onEveryBackend('the loss at a scale', () => {
  const plan = () => tensorsOf([planOf(grid, [3, 0, 1, 6, 2, 4, 5, 7], 2, 3)]);
  const scored = () => tf.tensor2d([[0, 1, 1, 0, 0, 0, 1, 0]]);

  it('weighs a coarse cell by the share of its cells in the loss, and tells nothing of their roles', () => {
    // Groups: cells 0 1 4 5 with one of four scored, cells 2 3 6 7 with two.
    const { loss, parts } = lossAtScale(0.5, 'grid', tf.tensor3d([[[1], [2]]]), tf.zeros([1, 2, 1]), plan(), scored());
    expect(number(loss)).toBeCloseTo((1 * 0.25 + 4 * 0.5) / 0.75, 5);
    expect(parts).toEqual({});
  });

  it('is the mean over scored tokens of the mean over their finer values', () => {
    const retained = tf.tensor3d([[[1, 3], [2, 2], [3, 3]]]);
    const { loss } = lossAtScale(2, 'retained', retained, tf.zeros([1, 8, 2]), plan(), scored());
    expect(number(loss)).toBeCloseTo((5 + 4 + 9) / 3, 5);
  });

  it('adds up over branches, each told apart, roles summed', () => {
    const branch = (name: string, loss: number, retained: number) => [name, { loss: tf.scalar(loss), parts: { retained: tf.scalar(retained) } }] as const;
    const { loss, parts } = sumOfBranches([branch('a', 1, 2), branch('b', 4, 5)]);
    expect([number(loss), ...['a', 'b', 'retained'].map((part) => number(parts[part]!))]).toEqual([5, 1, 4, 7]);
  });
});
