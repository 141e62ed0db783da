import type { Params } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { param } from '../params/lookup.js';
import { columnSums } from './column-sums.js';
import { hasKernel, runKernel, withGradient } from './custom-gradient.js';

/** Epsilon of every layer norm in the official ViT, MAE, MFF and TEC models. */
export const VIT_EPSILON = 1e-6;

/**
 * Layer norm over the last axis of rows, biased variance, gain `PREFIX.weight`, offset `PREFIX.bias`.
 * Only the input and two numbers a row are kept for the backward pass.
 */
export function layerNorm(x_MD: Tensor2D, params: Params, prefix: string, epsilon: number = VIT_EPSILON): Tensor2D {
  return normalizeRows(x_MD, param<Tensor1D>(params, `${prefix}.weight`), param<Tensor1D>(params, `${prefix}.bias`), epsilon);
}

/** Layer norm with gain and offset given as tensors [D]. */
export function normalizeRows(x_MD: Tensor2D, gain_D: Tensor1D, offset_D: Tensor1D, epsilon: number): Tensor2D {
  const width = x_MD.shape[1];
  return withGradient(
    [x_MD, gain_D, offset_D],
    (save) => {
      const [y, mean_M1, rstd_M1] = forward(x_MD, gain_D, offset_D, epsilon);
      save([x_MD, gain_D, mean_M1, rstd_M1]);
      return y;
    },
    (dy, saved) => {
      const [x, gain, mean, rstd] = saved as readonly Tensor[] as [Tensor2D, Tensor1D, Tensor2D, Tensor2D];
      if (hasKernel('MimLayerNormGrad')) return runKernel('MimLayerNormGrad', { dy, x, gain, mean, rstd }) as Tensor[];
      const normalized = tf.mul(tf.sub(x, mean), rstd);
      const dyNormalized = tf.mul(dy, normalized) as Tensor2D;
      // Sums along a row as products with the gain column: a matrix-vector product runs in parallel on every backend.
      const gainColumn = tf.reshape(tf.mul(gain, 1 / width), [width, 1]) as Tensor2D;
      const meanOfGrad = tf.matMul(dy, gainColumn);
      const meanOfProduct = tf.matMul(dyNormalized, gainColumn);
      const dx = tf.mul(tf.sub(tf.sub(tf.mul(dy, gain), meanOfGrad), tf.mul(normalized, meanOfProduct)), rstd);
      return [dx, columnSums(dyNormalized), columnSums(dy)];
    },
  );
}

/** @returns y [M, D], mean and 1 / deviation [M, 1]. */
function forward(x: Tensor2D, gain: Tensor1D, offset: Tensor1D, epsilon: number): [Tensor2D, Tensor2D, Tensor2D] {
  if (hasKernel('MimLayerNorm')) return runKernel('MimLayerNorm', { x, gain, offset }, { epsilon }) as [Tensor2D, Tensor2D, Tensor2D];
  const mean = tf.mean(x, 1, true) as Tensor2D;
  const centred = tf.sub(x, mean) as Tensor2D;
  const rstd = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), epsilon)) as Tensor2D;
  return [tf.add(tf.mul(tf.mul(centred, rstd), gain), offset), mean, rstd];
}
