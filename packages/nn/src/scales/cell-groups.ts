import { cellsOf, roleMask, type Grid, type PlanTensors, type TokenSet } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { restoreRows } from '../layers/gather-rows.js';

/** Sums of groups of 2 x 2 cells. @param rows_NG [B*N, G], raster order  @returns [B*N/4, G], raster order */
export function groupSums(rows_NG: Tensor2D, batch: number, { rows, columns }: Grid): Tensor2D {
  const width = rows_NG.shape[1];
  const pairs = tf.sum(tf.reshape(rows_NG, [batch * (rows / 2), 2, columns * width]), 1);
  return tf.sum(tf.reshape(pairs, [batch * (rows / 2) * (columns / 2), 2, width]), 1);
}

/**
 * Means over groups of 2 x 2 tokens, of those that are there: thrown tokens would shrink the mean if they counted as
 * zeros (specification, section 5.3). A group without any token is zero; its weight in the loss is, too.
 * @param rows_MD rows of the set's tokens
 * @returns [B*N/4, D], raster order
 */
export function groupMeans(rows_MD: Tensor2D, cells: TokenSet['cells'], plan: PlanTensors): Tensor2D {
  const { batch, grid, counts } = plan;
  if (cells === 'grid') return tf.div(groupSums(rows_MD, batch, grid), 4);
  const sums = groupSums(restoreRows(rows_MD, plan.gridRows, plan.knownRows), batch, grid);
  if (counts.thrown === 0) return tf.div(sums, 4);
  const present = tf.sub(1, roleMask(plan, 'thrown'));
  const count = groupSums(tf.reshape(present, [batch * cellsOf(grid), 1]), batch, grid);
  return tf.div(sums, tf.maximum(count, 1));
}
