import type { RandomInput, StepContext } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { ResidualRule } from './residual-rule.js';

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

export interface StochasticDepth {
  /** For `Encoder.randomInputs`: nothing where the rate is 0. */
  randomInputs(batch: number): Readonly<Record<string, RandomInput>>;
  /** What happens to the branches of a block, counted from 0. Outside training nothing. */
  rule(context: StepContext, block: number): ResidualRule;
}

/** Stochastic depth of a stack of blocks: two draws an image and block, which come in with the step under `name`. */
export function stochasticDepth(name: string, largest: number, depth: number): StochasticDepth {
  const rates = dropPathRates(largest, depth);
  return {
    randomInputs: (batch) => (largest === 0 ? {} : { [name]: { shape: [2 * depth, batch], distribution: 'uniform' } }),
    rule: ({ training, random }, block) => (branch_MD, which) => {
      const draws = training ? (random[name] as Tensor2D | undefined) : undefined;
      if (draws === undefined) return branch_MD;
      const [, batch] = draws.shape;
      return dropPath(branch_MD, tf.reshape(tf.slice(draws, [2 * block + (which === 'attention' ? 0 : 1), 0], [1, batch]), [batch]) as Tensor1D, rates[block] as number);
    },
  };
}
