import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { paramsOf } from '../../test-support/objective.js';
import { joinCells, mergePatches, patchMergingParams } from './patch-merging.js';

onEveryBackend('patch merging', () => {
  it('joins 2 x 2 cells column by column, image by image', () => {
    // Two images of 2 x 4 tokens, one channel, numbered through.
    const x = tf.tensor2d(Array.from({ length: 16 }, (_, i) => [i]));
    expectValues(joinCells(x, { rows: 2, columns: 4 }), [0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15]);
  });

  it('halves the sides and doubles the width, without a bias', () => {
    const specs = patchMergingParams('m', 3);
    expect(Object.keys(specs)).toEqual(['m.reduction.weight', 'm.norm.weight', 'm.norm.bias']);
    expect(mergePatches(scattered([32, 3]) as tf.Tensor2D, paramsOf(specs), 'm', { rows: 4, columns: 4 }).shape).toEqual([8, 6]);
  });

  it('has its gradients', () => {
    const params = paramsOf(patchMergingParams('m', 2));
    expectGradients((x, weight) => mergePatches(x as tf.Tensor2D, { ...params, 'm.reduction.weight': weight! }, 'm', { rows: 2, columns: 2 }), [
      scattered([4, 2]),
      params['m.reduction.weight']!,
    ]);
  });
});
