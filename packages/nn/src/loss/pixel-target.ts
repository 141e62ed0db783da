import { cellsOf, ConfigError, type ImageSpec, type Target } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { checkSameGrid, patchGrid, patchify, patchValues, type PatchSize } from '../images/patchify.js';
import { savedAt, withGradient } from '../layers/custom-gradient.js';
import { atCells, scoredMean } from './scored-mean.js';

/** Branch of a pixel target, and the name of its values in targets and predictions. */
export const PIXELS = 'pixels';
export const PATCHES = 'patches';

/**
 * Standardises along the second axis: (t - mean) / sqrt(var + 1e-6), the variance unbiased (divided by the length less
 * one), the epsilon inside the root. What is flat becomes zero. Source: official MAE, forward_loss.
 */
export function standardized<T extends Tensor>(x: T): T {
  const length = x.shape[1] as number;
  const centred = tf.sub(x, tf.mean(x, 1, true));
  const variance = tf.div(tf.sum(tf.square(centred), 1, true), length - 1);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-6))) as T;
}

/** Every patch standardised over all its values. @param patches_MP [M, P] */
export const normalizePatches = (patches_MP: Tensor2D): Tensor2D => standardized(patches_MP);

/** Mean over a token's values of the squared difference, [B, tokens]. */
export const squaredError = (predicted: Tensor, target: Tensor): Tensor2D => tf.mean(tf.squaredDifference(predicted, target), -1);

/** Mean over a token's values of the absolute difference, [B, tokens]. Its derivative at 0 is 0, as PyTorch's. */
export function absoluteError(predicted: Tensor, target: Tensor): Tensor2D {
  const distance = withGradient(
    [predicted],
    (save) => {
      const difference = tf.sub(predicted, target);
      save([tf.sign(difference)]);
      return tf.abs(difference);
    },
    (dy, saved) => [tf.mul(dy, savedAt(saved, 0))],
  );
  return tf.mean(distance, -1);
}

/** SimMIM adds it to its count of masked pixels. */
const L1_EPSILON = 1e-5;

export interface PixelTargetOptions {
  readonly image: ImageSpec;
  readonly patch: PatchSize;
  /** Standardise each patch by its own mean and deviation. */
  readonly normPix: boolean;
  /** Squared error (MAE), or absolute error over the masked pixels of the whole batch (SimMIM). Default mse. */
  readonly loss?: 'mse' | 'l1';
}

/**
 * The pixels of each patch, squared or absolute error. One branch `pixels`, values `patches` [B, N, P].
 * @throws ConfigError if the patch does not divide the image, or normalising a patch of one value is asked for.
 */
export function pixelTarget({ image, patch, normPix, loss = 'mse' }: PixelTargetOptions): Target {
  const values = patchValues(patch, image.channels);
  const own = patchGrid(image, patch);
  if (normPix && values < 2) {
    throw new ConfigError('a patch of a single value has no variance to normalise by', { place: 'normPix', remedy: 'Set it to false or choose larger patches.' });
  }
  return {
    picture: { branch: PIXELS, values: PATCHES, standardized: normPix },
    spec(grid) {
      checkSameGrid(own, grid, "the target's");
      return { [PIXELS]: { values, scale: 1, loss } };
    },
    targets(images_BHWC) {
      const patches = patchify(images_BHWC, patch);
      return { [PIXELS]: { [PATCHES]: tf.reshape(normPix ? normalizePatches(patches) : patches, [-1, cellsOf(own), values]) } };
    },
    loss(predictions, targets, plan, scored_BN) {
      const { values: predicted, cells } = predictions[PIXELS] as (typeof predictions)[string];
      const target = atCells(targets[PIXELS]?.[PATCHES] as Tensor, plan, cells);
      const shown = predicted[PATCHES] as Tensor;
      if (loss === 'mse') return scoredMean(squaredError(shown, target), cells, scored_BN, plan);
      return scoredMean(absoluteError(shown, target), cells, scored_BN, plan, L1_EPSILON / (patch.height * patch.width));
    },
  };
}
