import type { Grid, ImageSpec } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { LocalMimScale } from '../cost/frameworks.js';
import { patchify, type PatchSize } from '../images/patchify.js';

/** Pixels that one prediction of a scale stands for. */
export const cellOf = (image: ImageSpec, grid: Grid, scale: LocalMimScale): PatchSize => ({
  height: image.height / grid.rows / scale,
  width: image.width / grid.columns / scale,
});

/** Why a scale cannot be predicted on this grid; undefined where it can. */
export function misfit(image: ImageSpec, grid: Grid, scale: LocalMimScale): string | undefined {
  if (scale < 1) return grid.rows % 2 === 0 && grid.columns % 2 === 0 ? undefined : `scale 0.5 joins 2 x 2 tokens, the grid has ${grid.rows} x ${grid.columns}`;
  const { height, width } = cellOf(image, grid, scale);
  if (Number.isInteger(height) && Number.isInteger(width)) return undefined;
  return `scale ${scale} divides each side of a token by ${scale}, a token has ${image.height / grid.rows} x ${image.width / grid.columns} pixels`;
}

/** The pixels of each prediction, token by token, inside a token in raster order; at scale 0.5 by groups of 2 x 2 tokens. @returns [B * predictions, values] */
export function cellPixels(images_BHWC: Tensor4D, cell: PatchSize, scale: LocalMimScale): Tensor2D {
  if (scale <= 1) return patchify(images_BHWC, cell);
  const channels = images_BHWC.shape[3];
  const tokens = patchify(images_BHWC, { height: cell.height * scale, width: cell.width * scale });
  const split = tf.reshape(tokens, [tokens.shape[0], scale, cell.height, scale, cell.width * channels]);
  return tf.reshape(tf.transpose(split, [0, 1, 3, 2, 4]), [tokens.shape[0] * scale * scale, cell.height * cell.width * channels]);
}

/** From raster order of fine cells to tokens, each with its square of cells in raster order. @param columns of the token grid */
export function byToken(fine: Float32Array, columns: number, scale: LocalMimScale, values: number): Float32Array {
  if (scale <= 1) return fine;
  const out = new Float32Array(fine.length);
  const strip = scale * values;
  for (let from = 0; from < fine.length; from += strip) {
    const index = from / strip;
    const column = index % columns;
    const row = Math.floor(index / columns);
    const token = Math.floor(row / scale) * columns + column;
    out.set(fine.subarray(from, from + strip), (token * scale + (row % scale)) * strip);
  }
  return out;
}
