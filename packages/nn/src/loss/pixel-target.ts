import { cellsOf, ConfigError, type ImageSpec, type Target } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { patchGrid, patchify, patchValues, type PatchSize } from '../images/patchify.js';
import { atCells, scoredMean } from './scored-mean.js';

/** Branch of a pixel target, and the name of its values in targets and predictions. */
export const PIXELS = 'pixels';
export const PATCHES = 'patches';

/**
 * Standardises every patch over all its values: (t - mean) / sqrt(var + 1e-6), the variance unbiased (divided by
 * P - 1), the epsilon inside the root. A flat patch becomes zero. Source: official MAE, forward_loss.
 * @param patches_MP [M, P]
 */
export function normalizePatches(patches_MP: Tensor2D): Tensor2D {
  const values = patches_MP.shape[1];
  const centred = tf.sub(patches_MP, tf.mean(patches_MP, 1, true));
  const variance = tf.div(tf.sum(tf.square(centred), 1, true), values - 1);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-6)));
}

/** Mean over a token's values of the squared difference, [B, tokens]. */
export const squaredError = (predicted: Tensor, target: Tensor): Tensor2D => tf.mean(tf.squaredDifference(predicted, target), -1);

export interface PixelTargetOptions {
  readonly image: ImageSpec;
  readonly patch: PatchSize;
  /** Standardise each patch by its own mean and deviation. */
  readonly normPix: boolean;
}

/**
 * The pixels of each patch, squared error. One branch `pixels`, values `patches` [B, N, P].
 * @throws ConfigError if the patch does not divide the image, or normalising a patch of one value is asked for.
 */
export function pixelTarget({ image, patch, normPix }: PixelTargetOptions): Target {
  const values = patchValues(patch, image.channels);
  const own = patchGrid(image, patch);
  if (normPix && values < 2) {
    throw new ConfigError('a patch of a single value has no variance to normalise by', { place: 'normPix', remedy: 'Set it to false or choose larger patches.' });
  }
  return {
    picture: { branch: PIXELS, values: PATCHES, standardized: normPix },
    spec(grid) {
      if (grid.rows !== own.rows || grid.columns !== own.columns) {
        throw new ConfigError(`the target's patches make a grid of ${own.rows} x ${own.columns}, the encoder has ${grid.rows} x ${grid.columns}`, {
          place: 'patchSize',
          remedy: 'Give target and encoder the same patch size.',
        });
      }
      return { [PIXELS]: { values, scale: 1, loss: 'mse' } };
    },
    targets(images_BHWC) {
      const patches = patchify(images_BHWC, patch);
      return { [PIXELS]: { [PATCHES]: tf.reshape(normPix ? normalizePatches(patches) : patches, [-1, cellsOf(own), values]) } };
    },
    loss(predictions, targets, plan, scored_BN) {
      const { values: predicted, cells } = predictions[PIXELS] as (typeof predictions)[string];
      const target = atCells(targets[PIXELS]?.[PATCHES] as Tensor, plan, cells);
      return scoredMean(squaredError(predicted[PATCHES] as Tensor, target), cells, scored_BN, plan);
    },
  };
}
