import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { linear } from './linear.js';

onEveryBackend('linear', () => {
  it('multiplies by the weight [in, out] and adds the bias', () => {
    const params = { 'fc.weight': tf.tensor2d([[1, 2, 3], [10, 20, 30]]), 'fc.bias': tf.tensor1d([0.5, 0, -1]) };
    expectValues(linear(tf.tensor2d([[1, 1], [2, 0]]), params, 'fc'), [11.5, 22, 32, 2.5, 4, 5]);
  });

  it('has the gradients of all three inputs', () => {
    expectGradients(
      (x, weight, bias) => linear(x as tf.Tensor2D, { 'fc.weight': weight as tf.Tensor, 'fc.bias': bias as tf.Tensor }, 'fc'),
      [scattered([3, 4]), scattered([4, 2], 2), scattered([2], 5)],
    );
  });

  it('names the parameter that is missing', () => {
    expect(() => linear(tf.tensor2d([[1]]), { 'fc.weight': tf.tensor2d([[1]]) }, 'fc')).toThrow(/fc\.bias: this parameter is missing/);
  });
});
