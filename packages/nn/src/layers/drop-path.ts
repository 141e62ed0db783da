import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';

/** Rates of the blocks: linear from 0 for the first to `largest` for the last. */
export const dropPathRates = (largest: number, depth: number): number[] =>
  Array.from({ length: depth }, (_, i) => (depth === 1 ? 0 : (largest * i) / (depth - 1)));

/**
 * Stochastic depth: drops a residual branch for whole images, and divides by the share that stays. An image stays where
 * its draw u gives floor(1 - rate + u) = 1.
 * @param branch_MD [B*n, D]  @param draws_B uniform in [0, 1), one an image; undefined: nothing is dropped
 */
export function dropPath(branch_MD: Tensor2D, draws_B: Tensor1D | undefined, rate: number): Tensor2D {
  if (draws_B === undefined || rate === 0) return branch_MD;
  const [batch] = draws_B.shape;
  const [rows, width] = branch_MD.shape;
  const factors_B11 = tf.reshape(tf.div(tf.floor(tf.add(draws_B, 1 - rate)), 1 - rate), [batch, 1, 1]);
  return tf.reshape(tf.mul(tf.reshape(branch_MD, [batch, rows / batch, width]) as Tensor3D, factors_B11), [rows, width]);
}
