import { ConfigError, type Grid, type ImageSpec } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';

/** Size of a patch in pixels. */
export interface PatchSize {
  readonly height: number;
  readonly width: number;
}

/** A size as configurations write it: one number, or [height, width]. */
export const patchSizeOf = (pixels: number | readonly [height: number, width: number]): PatchSize =>
  typeof pixels === 'number' ? { height: pixels, width: pixels } : { height: pixels[0], width: pixels[1] };

/** Number of values of a patch, P = height * width * channels. */
export const patchValues = (patch: PatchSize, channels: number): number => patch.height * patch.width * channels;

/**
 * The grid of tokens that patches of this size make of an image.
 * @throws ConfigError if a side of the image is not a multiple of the patch.
 */
export function patchGrid(image: ImageSpec, patch: PatchSize): Grid {
  for (const side of ['height', 'width'] as const) {
    if (image[side] % patch[side] !== 0) {
      throw new ConfigError(`an image of ${side} ${image[side]} cannot be cut into patches of ${side} ${patch[side]}`, {
        place: 'patchSize',
        remedy: `Choose a ${side} that is a multiple of ${patch[side]}, or a patch that divides ${image[side]}.`,
      });
    }
  }
  return { rows: image.height / patch.height, columns: image.width / patch.width };
}

/** @throws ConfigError if the patches of a target (`whose`: "the target's") make another grid than the encoder has. */
export function checkSameGrid(own: Grid, encoder: Grid, whose: string): void {
  if (encoder.rows === own.rows && encoder.columns === own.columns) return;
  throw new ConfigError(`${whose} patches make a grid of ${own.rows} x ${own.columns}, the encoder has ${encoder.rows} x ${encoder.columns}`, {
    place: 'patchSize',
    remedy: 'Give target and encoder the same patch size.',
  });
}

/**
 * Cuts images into patches: row b * N + cell holds the patch of a cell, values in the order pixel row, pixel column,
 * channel (channel fastest), as targets and predictions of the official MAE have them (models_mae.py, patchify).
 * @returns [B*N, P]
 */
export function patchify(images_BHWC: Tensor4D, patch: PatchSize): Tensor2D {
  const [batch, height, width, channels] = images_BHWC.shape;
  const { rows, columns } = patchGrid({ height, width, channels }, patch);
  // Pixel column and channel stay together, which keeps the rank at 5.
  const split = tf.reshape(images_BHWC, [batch, rows, patch.height, columns, patch.width * channels]);
  return tf.reshape(tf.transpose(split, [0, 1, 3, 2, 4]), [batch * rows * columns, patchValues(patch, channels)]);
}

/**
 * Puts patches together again; the inverse of `patchify`.
 * @param patches [B*N, P] or [B, N, P]
 * @returns [B, H, W, C]
 */
export function unpatchify(patches: tf.Tensor, grid: Grid, patch: PatchSize, channels: number): Tensor4D {
  const batch = patches.size / (grid.rows * grid.columns * patchValues(patch, channels));
  const split = tf.reshape(patches, [batch, grid.rows, grid.columns, patch.height, patch.width * channels]);
  return tf.reshape(tf.transpose(split, [0, 1, 3, 2, 4]), [batch, grid.rows * patch.height, grid.columns * patch.width, channels]);
}
