import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { hasKernel, runKernel, savedAt, withGradient } from './custom-gradient.js';

/** log(1 / sqrt(pi)): puts the factor of the Gaussian into its exponent, which saves a pass over the data. */
const LOG_INVERSE_SQRT_PI = -0.5 * Math.log(Math.PI);

/**
 * x * Phi(x) in the exact form with erf. The derivative Phi(x) + x * phi(x) is made at once, while Phi is at hand, and
 * kept in place of x: as much memory, and half the work in the backward pass.
 */
export function gelu<T extends Tensor>(x: T): T {
  return withGradient<T>(
    [x],
    (save) => {
      if (hasKernel('MimGelu')) {
        const [y, slope] = runKernel('MimGelu', { x }) as [T, T];
        save([slope]);
        return y;
      }
      const u = tf.mul(x, Math.SQRT1_2);
      const distribution = tf.mul(tf.add(tf.erf(u), 1), 0.5);
      // x * phi(x) = u * exp(-u^2) / sqrt(pi)
      const density = tf.exp(tf.sub(LOG_INVERSE_SQRT_PI, tf.square(u)));
      save([tf.add(distribution, tf.mul(u, density))]);
      return tf.mul(x, distribution);
    },
    (dy, saved) => [tf.mul(dy, savedAt(saved, 0))],
  );
}
