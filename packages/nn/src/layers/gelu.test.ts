import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { geluOf } from '../../test-support/reference.js';
import { gelu } from './gelu.js';

onEveryBackend('gelu', () => {
  it('is x times the normal distribution function, in the exact form', () => {
    const x = [-3, -1, -0.1, 0, 0.5, 1, 2.5];
    expectValues(gelu(tf.tensor1d(x)), x.map(geluOf), 6);
    expectValues(gelu(tf.tensor1d([1, -1])), [0.8413447, -0.1586553], 6);
  });

  it('has a gradient', () => {
    expectGradients((x) => gelu(x), [scattered([2, 5])]);
  });

  it('has slope 1/2 at zero, 1 and 0 far out', () => {
    expectValues(tf.grad((x) => gelu(x))(tf.tensor1d([0, 9, -9])), [0.5, 1, 0]);
  });

  it('stays finite for large inputs', () => {
    expect([...gelu(tf.tensor1d([100, -100])).dataSync()]).toEqual([100, -0]);
  });
});
