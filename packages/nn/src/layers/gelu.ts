import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { hasKernel, runKernel, savedAt, withGradient } from './custom-gradient.js';

/** x * Phi(x) in the exact form with erf. Only x is kept for the backward pass. */
export function gelu<T extends Tensor>(x: T): T {
  return withGradient<T>(
    [x],
    (save) => {
      save([x]);
      return hasKernel('MimGelu') ? (runKernel('MimGelu', { x }) as T) : tf.mul(x, normalCdf(x));
    },
    (dy, saved) => {
      const input = savedAt(saved, 0);
      const density = tf.mul(tf.exp(tf.mul(tf.square(input), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return [tf.mul(dy, tf.add(normalCdf(input), tf.mul(input, density)))];
    },
  );
}

const normalCdf = (x: Tensor): Tensor => tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5);
