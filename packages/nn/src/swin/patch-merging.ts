import type { Grid, Params, ParamSpecs } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { layerNorm } from '../layers/layer-norm.js';
import { param } from '../params/lookup.js';
import { normParams } from '../params/specs.js';
import { SWIN_EPSILON, swinInit } from './block.js';

/**
 * Joins each 2 x 2 cell of a grid, column by column: top left, bottom left, top right, bottom right.
 * @param x_MC [B * N, C], raster order  @returns [B * N / 4, 4C], raster order of the halved grid
 */
export function joinCells(x_MC: Tensor2D, { rows, columns }: Grid): Tensor2D {
  const [count, width] = x_MC.shape;
  const batch = count / (rows * columns);
  // Rows of the image and of the batch behave alike, which keeps the rank at 5.
  const split = tf.reshape(x_MC, [(batch * rows) / 2, 2, columns / 2, 2, width]);
  return tf.reshape(tf.transpose(split, [0, 2, 3, 1, 4]), [count / 4, 4 * width]);
}

/** Norm, then the map to twice the width: what follows the joining, dense or sparse. @param joined_MQ [M, 4C]  @returns [M, 2C] */
export function reduceCells(joined_MQ: Tensor2D, params: Params, prefix: string, epsilon: number = SWIN_EPSILON): Tensor2D {
  return tf.matMul(layerNorm(joined_MQ, params, `${prefix}.norm`, epsilon), param<Tensor2D>(params, `${prefix}.reduction.weight`));
}

/** Patch merging of a whole grid: half the sides, twice the width. Source: official Swin, PatchMerging. */
export const mergePatches = (x_MC: Tensor2D, params: Params, prefix: string, grid: Grid, epsilon: number = SWIN_EPSILON): Tensor2D =>
  reduceCells(joinCells(x_MC, grid), params, prefix, epsilon);

/** Parameters of a patch merging under the official names; the reduction has no bias. */
export const patchMergingParams = (prefix: string, width: number): ParamSpecs => ({
  [`${prefix}.reduction.weight`]: { shape: [4 * width, 2 * width], trainable: true, init: swinInit, layout: { kind: 'linear' } },
  ...normParams(`${prefix}.norm`, 4 * width),
});
