import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { dropPath, dropPathRates } from './drop-path.js';

onEveryBackend('drop path', () => {
  it('drops whole images and scales up the others', () => {
    const branch = tf.tensor2d([[1, 2], [3, 4], [5, 6], [7, 8]]);
    expectValues(dropPath(branch, tf.tensor1d([0.1, 0.3]), 0.2), [0, 0, 0, 0, 6.25, 7.5, 8.75, 10]);
  });

  it('leaves everything as it is without draws, or at a rate of 0', () => {
    const branch = tf.tensor2d([[1, 2]]);
    expect(dropPath(branch, undefined, 0.5)).toBe(branch);
    expect(dropPath(branch, tf.tensor1d([0]), 0)).toBe(branch);
  });

  it('sends gradients through what stays', () => {
    expectGradients((x) => dropPath(x as tf.Tensor2D, tf.tensor1d([0, 0.9]), 0.5), [scattered([4, 2])]);
  });
});

it('drop path rates rise linearly from 0', () => {
  expect(dropPathRates(0.3, 4).map((rate) => Number(rate.toFixed(6)))).toEqual([0, 0.1, 0.2, 0.3]);
  expect(dropPathRates(0.3, 1)).toEqual([0]);
});
