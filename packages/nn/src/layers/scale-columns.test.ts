import * as tf from '@tensorflow/tfjs';
import { it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { scaleColumns } from './scale-columns.js';

onEveryBackend('scaling columns', () => {
  it('multiplies every column by its factor', () => {
    expectValues(scaleColumns(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor1d([10, -1])), [10, -2, 30, -4]);
  });

  it('has the gradients of rows and factors', () => {
    expectGradients((x, factors) => scaleColumns(x as tf.Tensor2D, factors as tf.Tensor1D), [scattered([3, 2]), scattered([2], 4)]);
  });
});
