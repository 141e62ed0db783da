import { cellsOf, roleMask, type Grid, type Params, type ParamSpecs, type PlanTensors, type TokenSet } from '@mimlab/core';
import {
  gelu,
  layerNorm,
  linear,
  normParams,
  pointwiseParams,
  restoreRows,
  transposedConvolution,
  transposedConvolutionParams,
  type LocalMimScale,
} from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';

/** Names and shapes of a head; places inside `pred` are those of the official sequence of layers. */
export function headParams(prefix: string, scale: LocalMimScale, width: number, values: number): ParamSpecs {
  if (scale === 4) {
    return {
      ...transposedConvolutionParams(`${prefix}.0`, width, width / 2, 2),
      ...normParams(`${prefix}.1`, width / 2),
      ...transposedConvolutionParams(`${prefix}.3`, width / 2, width / 4, 2),
      ...pointwiseParams(`${prefix}.4`, width / 4, values),
    };
  }
  if (scale === 2) return { ...transposedConvolutionParams(`${prefix}.0`, width, width / 2, 2), ...pointwiseParams(`${prefix}.1`, width / 2, values) };
  return pointwiseParams(scale === 1 ? `${prefix}.0` : `${prefix}.1`, width, values);
}

/**
 * Predictions of each row by itself; a row of scale 4 or 2 becomes a square of predictions in raster order, at scale 0.5
 * a row is one that stands for 2 x 2 tokens already.
 * @param rows_MD [M, D]
 * @returns [M, scale * scale * values], or [M, values] at scale 0.5
 */
export function predictRows(rows_MD: Tensor2D, params: Params, prefix: string, scale: LocalMimScale): Tensor2D {
  if (scale === 4) {
    const half = gelu(layerNorm(transposedConvolution(rows_MD, params, `${prefix}.0`), params, `${prefix}.1`));
    const fine = linear(transposedConvolution(half, params, `${prefix}.3`), params, `${prefix}.4`);
    const [pixels, values] = fine.shape;
    const rows = pixels / 16;
    // Rows and columns of the two convolutions change places: each square has its four pixels as a block so far.
    const blocks = tf.reshape(fine, [rows, 2, 2, 2, 2 * values]);
    return tf.reshape(tf.transpose(blocks, [0, 1, 3, 2, 4]), [rows, 16 * values]);
  }
  if (scale === 2) {
    const fine = linear(transposedConvolution(rows_MD, params, `${prefix}.0`), params, `${prefix}.1`);
    return tf.reshape(fine, [rows_MD.shape[0], -1]);
  }
  return linear(rows_MD, params, scale === 1 ? `${prefix}.0` : `${prefix}.1`);
}

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
export function pooledRows(rows_MD: Tensor2D, cells: TokenSet['cells'], plan: PlanTensors): Tensor2D {
  const { batch, grid, counts } = plan;
  if (cells === 'grid') return tf.div(groupSums(rows_MD, batch, grid), 4);
  const sums = groupSums(restoreRows(rows_MD, plan.gridRows, plan.knownRows), batch, grid);
  if (counts.thrown === 0) return tf.div(sums, 4);
  const present = tf.sub(1, roleMask(plan, 'thrown'));
  const count = groupSums(tf.reshape(present, [batch * cellsOf(grid), 1]), batch, grid);
  return tf.div(sums, tf.maximum(count, 1));
}
