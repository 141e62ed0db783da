import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { columnSums } from './column-sums.js';
import { savedAt, withGradient } from './custom-gradient.js';

/** Multiplies every column by a factor of its own: layer scale. @param x_MD [M, D]  @param factors_D [D] */
export function scaleColumns(x_MD: Tensor2D, factors_D: Tensor1D): Tensor2D {
  return withGradient(
    [x_MD, factors_D],
    (save) => {
      save([x_MD, factors_D]);
      return tf.mul(x_MD, factors_D);
    },
    (dy, saved) => [tf.mul(dy, savedAt(saved, 1)), columnSums(tf.mul(dy, savedAt(saved, 0)) as Tensor2D)],
  );
}
