import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { planOf, tensorsOf } from '../../test-support/plans.js';
import { groupMeans, groupSums } from './cell-groups.js';

const grid = { rows: 2, columns: 4 };
const values = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];

onEveryBackend('groups of 2 x 2 cells', () => {
  it('are summed in raster order, image by image', () => {
    const cells = tf.tensor2d(Array.from({ length: 16 }, (_, i) => [i, 100]));
    expect(values(groupSums(cells, 2, grid))).toEqual([0 + 1 + 4 + 5, 400, 2 + 3 + 6 + 7, 400, 8 + 9 + 12 + 13, 400, 10 + 11 + 14 + 15, 400]);
  });

  it('are averaged over known tokens, whatever their order', () => {
    const plan = tensorsOf([planOf(grid, [7, 0, 1, 5, 2, 3, 4, 6], 2, 6)]);
    const rows = tf.tensor2d([7, 0, 1, 5, 2, 3, 4, 6].map((cell) => [cell]));
    expect(values(groupMeans(rows, 'known', plan))).toEqual([2.5, 4.5]);
    expect(values(groupMeans(tf.tensor2d([0, 1, 2, 3, 4, 5, 6, 7].map((cell) => [cell])), 'grid', plan))).toEqual([2.5, 4.5]);
  });

  it('leave thrown tokens out of the mean instead of counting them as zeros', () => {
    const plan = tensorsOf([planOf(grid, [0, 5, 1, 2, 3, 4, 6, 7], 1, 1)]);
    expect(values(groupMeans(tf.tensor2d([[4], [6]]), 'known', plan))).toEqual([5, 0]);
  });
});
