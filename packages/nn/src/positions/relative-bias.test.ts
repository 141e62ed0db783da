import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { planOf, tensorsOf } from '../../test-support/plans.js';
import { knownPairs, pairsByHead, relativePairs } from './relative-bias.js';
import { relativeIndex, relativeTableRows } from './relative-index.js';

const GRIDS = [
  { rows: 1, columns: 1 },
  { rows: 2, columns: 3 },
  { rows: 3, columns: 1 },
];

onEveryBackend('relative position bias', () => {
  it.each(GRIDS)('looks every pair of $rows x $columns cells up', (grid) => {
    for (const cls of [false, true]) {
      const table = scattered([relativeTableRows(grid, cls), 2]) as tf.Tensor2D;
      const entries = table.arraySync();
      expectValues(relativePairs(table, grid, cls), [...relativeIndex(grid, cls)].flatMap((entry) => entries[entry] as number[]));
    }
  });

  it.each(GRIDS)('sends the gradient of all pairs of $rows x $columns cells back to their entry', (grid) => {
    for (const cls of [false, true]) expectGradients((table) => relativePairs(table as tf.Tensor2D, grid, cls), [scattered([relativeTableRows(grid, cls), 2])]);
  });

  it('comes head by head for each group', () => {
    const pairs = tf.tensor2d([[1, 10], [2, 20], [3, 30], [4, 40], [5, 50], [6, 60], [7, 70], [8, 80]]);
    const bias = pairsByHead(pairs, 2, 2);
    expect(bias.shape).toEqual([2, 2, 2, 2]);
    expectValues(bias, [1, 2, 3, 4, 10, 20, 30, 40, 5, 6, 7, 8, 50, 60, 70, 80]);
  });

  it('is taken for the tokens that an image has, in known order, class token first', () => {
    const grid = { rows: 1, columns: 3 };
    const plan = tensorsOf([planOf(grid, [2, 0, 1], 1, 1), planOf(grid, [1, 2, 0], 1, 1)]);
    // Entry 10 i + j belongs to query i and key j, the class token being 0.
    const pairs = tf.tensor2d(Array.from({ length: 16 }, (_, at) => [10 * Math.floor(at / 4) + (at % 4)]));
    expectValues(knownPairs(pairs, plan), [0, 3, 1, 30, 33, 31, 10, 13, 11, 0, 2, 3, 20, 22, 23, 30, 32, 33]);
  });

  it('gets the gradients of all images back, none for thrown tokens', () => {
    const grid = { rows: 2, columns: 2 };
    const some = tensorsOf([planOf(grid, [2, 0, 1, 3], 1, 2), planOf(grid, [1, 3, 0, 2], 1, 2)]);
    const all = tensorsOf([planOf(grid, [2, 0, 1, 3], 1, 3), planOf(grid, [1, 3, 0, 2], 1, 3)]);
    for (const plan of [some, all]) expectGradients((pairs) => knownPairs(pairs as tf.Tensor2D, plan), [scattered([25, 2])]);
  });
});
