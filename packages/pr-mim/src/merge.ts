import { savedAt, stopGradient, withGradient } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { PrMimConfig } from './config.js';

export type Merge = NonNullable<PrMimConfig['merge']>;

/** `inside` where the mask is 1, `outside` where it is 0. Keeps only the mask for the backward pass. */
export function choose(mask_BN1: Tensor3D, inside_BNd: Tensor3D, outside_BNd: Tensor3D): Tensor3D {
  const split = (x: Tensor3D, mask: Tensor3D): [Tensor3D, Tensor3D] => [tf.mul(x, mask), tf.mul(x, tf.sub(1, mask))];
  return withGradient<Tensor3D>(
    [inside_BNd, outside_BNd],
    (save) => {
      save([mask_BN1]);
      return tf.add(tf.mul(inside_BNd, mask_BN1), tf.mul(outside_BNd, tf.sub(1, mask_BN1)));
    },
    (dy, saved) => split(dy, savedAt<Tensor3D>(saved, 0)),
  );
}

/**
 * Joins the filled grid with what the aggregation made of it (PR-MIM specification, section 5.2).
 * @param thrown_BN1 1 at thrown cells
 */
export function merged(merge: Merge, grid_BNd: Tensor3D, aggregated_BNd: Tensor3D, thrown_BN1: Tensor3D): Tensor3D {
  if (merge === 'thrown-only') return choose(thrown_BN1, aggregated_BNd, grid_BNd);
  return merge === 'residual' ? tf.add(grid_BNd, aggregated_BNd) : aggregated_BNd;
}

/**
 * Aggregates and merges such that nothing flows from thrown cells back into the grid's tokens; values are those of
 * `merged`. Where retained cells are aggregated too, they need a pass of their own that keeps its gradient.
 */
export function mergedApart(
  merge: Merge,
  grid_BNd: Tensor3D,
  input_BNd: Tensor3D,
  aggregate: (input_BNd: Tensor3D) => Tensor3D,
  thrown_BN1: Tensor3D,
): Tensor3D {
  const held = aggregate(stopGradient(input_BNd));
  if (merge === 'thrown-only') return choose(thrown_BN1, held, grid_BNd);
  const atThrown = merged(merge, stopGradient(grid_BNd), held, thrown_BN1);
  return choose(thrown_BN1, atThrown, merged(merge, grid_BNd, aggregate(input_BNd), thrown_BN1));
}
