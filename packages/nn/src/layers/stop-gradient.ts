import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { withGradient } from './custom-gradient.js';

/** The same values; nothing flows back through them. */
export const stopGradient = <T extends Tensor>(x: T): T =>
  withGradient<T>(
    [x],
    () => tf.clone(x),
    (dy) => [tf.zerosLike(dy)],
  );
