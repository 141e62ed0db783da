import * as tf from '@tensorflow/tfjs';
import { it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectValues } from '../../test-support/gradient-check.js';
import { stopGradient } from './stop-gradient.js';

onEveryBackend('stopGradient', () => {
  it('passes values on', () => {
    expectValues(stopGradient(tf.tensor1d([1, -2])), [1, -2]);
  });

  it('lets nothing flow back on its path, and everything on others', () => {
    const gradient = tf.grad((x) => tf.sum(tf.add(tf.mul(x, 3), tf.square(stopGradient(x)))))(tf.tensor1d([1, -2]));
    expectValues(gradient, [3, 3]);
  });
});
