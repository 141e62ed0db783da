import { randomStream, type ParamSpecs, type Params, type StepContext } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs';
import { scattered } from './gradient-check.js';

export const context: StepContext = { training: true, random: {} };

/** Initial values, a little disturbed so that zeros and ones do not hide mistakes. */
export const paramsOf = (specs: ParamSpecs): Params =>
  Object.fromEntries(
    Object.entries(specs).map(([name, { shape, init, trainable }]) => {
      const start = tf.tensor(init(shape, randomStream(name)), [...shape]);
      return [name, trainable ? tf.add(start, tf.mul(scattered([...shape]), 0.05)) : start];
    }),
  );
