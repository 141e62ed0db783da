import type { Grid } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';

/**
 * Puts the pixels of cells together to images, where a cell's values are ordered colour, row, column: the order of
 * PyTorch's PixelShuffle, which is neither that of patches here nor that of depth-to-space.
 * @param cells_MQ [B * N, channels * stride^2]
 * @returns [B, rows * stride, columns * stride, channels]
 */
export function pixelShuffle(cells_MQ: Tensor2D, { rows, columns }: Grid, stride: number, channels: number): Tensor4D {
  const split = tf.reshape(cells_MQ, [-1, rows, columns, channels, stride, stride]);
  return tf.reshape(tf.transpose(split, [0, 1, 4, 2, 5, 3]), [-1, rows * stride, columns * stride, channels]);
}

/** The values of single cells, from PixelShuffle's order (colour, row, column) to that of patches (row, column, colour). @param cells_MP [M, P] */
export function coloursLast(cells_MP: Tensor2D, channels: number): Tensor2D {
  const [cells, values] = cells_MP.shape;
  return tf.reshape(tf.transpose(tf.reshape(cells_MP, [cells, channels, values / channels]), [0, 2, 1]), [cells, values]);
}
