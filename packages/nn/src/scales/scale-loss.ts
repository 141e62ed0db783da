import type { LossParts, PlanTensors, TokenCells } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import type { LocalMimScale } from '../cost/frameworks.js';
import { squaredError } from '../loss/pixel-target.js';
import { atCells, scoredMean } from '../loss/scored-mean.js';
import { groupSums } from './cell-groups.js';

/** One scale: squared error, weighted by the cells in the loss; at scale 0.5 by the share of each group's cells in it. */
export function lossAtScale(scale: LocalMimScale, cells: TokenCells, predicted: Tensor, target: Tensor, plan: PlanTensors, scored_BN: Tensor2D): LossParts {
  if (scale >= 1) return scoredMean(squaredError(predicted, atCells(target, plan, cells)), cells, scored_BN, plan);
  const errors = tf.reshape(squaredError(predicted, target), [-1, 1]) as Tensor2D;
  const weights = groupSums(tf.reshape(scored_BN, [-1, 1]), plan.batch, plan.grid);
  // A group mixes retained and thrown cells, so it tells nothing of either.
  return { loss: tf.div(tf.sum(tf.mul(errors, weights)), tf.sum(weights)), parts: {} };
}

/** The plain sum over scales, with every scale's own loss beside it, and retained and thrown tokens apart, summed over scales of 1 and finer. */
export function sumOfBranches(losses: readonly (readonly [branch: string, loss: LossParts])[]): LossParts {
  const parts: Record<string, Scalar> = {};
  for (const [branch, { loss, parts: own }] of losses) {
    parts[branch] = loss;
    for (const [role, value] of Object.entries(own)) parts[role] = parts[role] === undefined ? value : tf.add(parts[role], value);
  }
  const loss = losses.map(([, own]) => own.loss).reduce((sum, value) => tf.add(sum, value));
  return { loss, parts };
}
