import { roleMask, type Branch, type Params, type PlanTensors, type TokenSet } from '@mimlab/core';
import { gatherRows, restoreRows } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { PrMimConfig } from './config.js';

/**
 * A branch's known tokens back on the grid, zeros where tokens were thrown, raster order.
 * @returns [B, N, d]
 */
export function restoreGrid({ tokens_BSd }: TokenSet, plan: PlanTensors): Tensor3D {
  const [batch, known, width] = tokens_BSd.shape;
  const known_MD = tf.reshape(tokens_BSd, [batch * known, width]) as Tensor2D;
  const rows = plan.knownInverse === undefined ? restoreRows(known_MD, plan.gridRows, plan.knownRows) : restoreDistinct(known_MD, plan, plan.knownInverse);
  return tf.reshape(rows, [batch, -1, width]);
}

/** A repeated mask token has no place on the grid, so no gradient comes back to it: its inverse is the row behind the grid. */
function restoreDistinct(known_MD: Tensor2D, { gridRows }: PlanTensors, knownInverse: Tensor1D): Tensor2D {
  const withZeroRow = tf.concat([known_MD, tf.zeros([1, known_MD.shape[1]])], 0) as Tensor2D;
  const inverse = tf.concat([knownInverse, tf.tensor1d([gridRows.shape[0]], 'int32')], 0) as Tensor1D;
  return gatherRows(withZeroRow, gridRows, inverse);
}

/** What stands in cells that hold no token: mask token plus position of the cell, [1, N, d]. */
export function maskTokenFill(branch: Required<Pick<Branch, 'maskToken' | 'positions_Nd'>>, params: Params): Tensor3D {
  const positions_Nd = branch.positions_Nd(params);
  const [cells, width] = positions_Nd.shape;
  return tf.reshape(tf.add(positions_Nd, tf.reshape(branch.maskToken(params), [1, width])), [1, cells, width]);
}

/** Puts `fill` where the mask is 0; those cells of `grid` hold zeros. */
export const filled = (grid_BNd: Tensor3D, present_BN1: Tensor3D, fill_1Nd: Tensor3D | undefined): Tensor3D =>
  fill_1Nd === undefined ? grid_BNd : tf.add(grid_BNd, tf.mul(tf.sub(1, present_BN1), fill_1Nd));

const column = (mask_BN: Tensor2D): Tensor3D => tf.expandDims(mask_BN, 2);

/** 1 at thrown cells, [B, N, 1]. */
export const thrownCells = (plan: PlanTensors): Tensor3D => column(roleMask(plan, 'thrown'));

/** 1 at the cells whose tokens the aggregation sees, [B, N, 1]. */
export const sourceCells = (plan: PlanTensors, source: NonNullable<PrMimConfig['source']>): Tensor3D =>
  source === 'retained' ? column(roleMask(plan, 'retained')) : tf.sub(1, thrownCells(plan));
