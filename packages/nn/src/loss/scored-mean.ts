import { roleMask, type LossParts, type PlanTensors, type TokenCells } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';

/** Grid rows of the cells in question, or undefined where that is every cell in raster order. */
export function rowsOfCells(plan: PlanTensors, cells: TokenCells): Tensor1D | undefined {
  if (cells === 'grid') return undefined;
  return cells === 'known' ? plan.knownRows : plan.retainedRows;
}

/**
 * Values of every cell, [B, N, P] in raster order, at the given cells, [B, n, P]. Meant for targets: no gradient flows back.
 */
export function atCells(values_BNP: Tensor, plan: PlanTensors, cells: TokenCells): Tensor {
  const rows = rowsOfCells(plan, cells);
  if (rows === undefined) return values_BNP;
  const [batch, count, width] = values_BNP.shape as [number, number, number];
  return tf.reshape(tf.gather(tf.reshape(values_BNP, [batch * count, width]), rows), [batch, -1, width]);
}

/**
 * Puts per-token losses together: loss = sum(w l) / sum(w) over the whole batch, w the weights of the tokens' cells.
 * Beside it the plain means over the retained tokens (`retained`) and, where the predictions cover the grid and tokens
 * were thrown, over the thrown ones (`thrown`).
 * @param losses [B, tokens] for `cells`  @param scored_BN weights, raster order
 * @param epsilon added to the sum of the weights, where the official loss has one
 */
export function scoredMean(losses: Tensor2D, cells: TokenCells, scored_BN: Tensor2D, plan: PlanTensors, epsilon = 0): LossParts {
  const rows = rowsOfCells(plan, cells);
  const weights = rows === undefined ? scored_BN : (tf.reshape(tf.gather(tf.reshape(scored_BN, [-1]), rows), losses.shape) as Tensor2D);
  const loss = tf.div(tf.sum(tf.mul(losses, weights)), tf.add(tf.sum(weights), epsilon)) as Scalar;
  return { loss, parts: groupMeans(losses, cells, plan) };
}

function groupMeans(losses: Tensor2D, cells: TokenCells, plan: PlanTensors): Record<string, Scalar> {
  const { batch, counts } = plan;
  const { visible, retained, thrown, repeats } = counts;
  if (repeats === true) return { retained: meanOfRole('retained', losses, cells, plan), ...(cells === 'grid' ? { thrown: meanOfRole('thrown', losses, cells, plan) } : {}) };
  if (cells === 'retained') return { retained: tf.mean(losses) as Scalar };
  if (cells === 'known') return { retained: tf.mean(tf.slice(losses, [0, visible], [batch, retained])) as Scalar };
  const meanOf = (role: 'retained' | 'thrown', count: number): Scalar =>
    tf.div(tf.sum(tf.mul(losses, roleMask(plan, role))), batch * count) as Scalar;
  return { retained: meanOf('retained', retained), ...(thrown > 0 ? { thrown: meanOf('thrown', thrown) } : {}) };
}

/**
 * The mean over tokens of one role, counted as they come: with repeated cells no two images have equally many. A visible
 * cell has no loss, so its repeated mask token drops out with it.
 */
function meanOfRole(role: 'retained' | 'thrown', losses: Tensor2D, cells: TokenCells, plan: PlanTensors): Scalar {
  const rows = rowsOfCells(plan, cells);
  const mask_BN = roleMask(plan, role);
  const mask = rows === undefined ? mask_BN : (tf.reshape(tf.gather(tf.reshape(mask_BN, [-1]), rows), losses.shape) as Tensor2D);
  return tf.div(tf.sum(tf.mul(losses, mask)), tf.sum(mask)) as Scalar;
}
