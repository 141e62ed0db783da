import * as tf from '@tensorflow/tfjs';
import { it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { columnSums } from './column-sums.js';

onEveryBackend('column sums', () => {
  it('add the rows up', () => {
    expectValues(columnSums(tf.tensor2d([[1, 2], [3, 4], [5, -6]])), [9, 0]);
  });

  it('have a gradient', () => {
    expectGradients((x) => columnSums(x as tf.Tensor2D), [scattered([3, 2])]);
  });
});
