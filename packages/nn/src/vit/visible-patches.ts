import { part, type Params, type PlanTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { patchify, type PatchSize } from '../images/patchify.js';
import { gatherRows } from '../layers/gather-rows.js';
import { linear } from '../layers/linear.js';
import { visibleInverse } from './tokens.js';

/**
 * `visible`: only visible patches meet the embedding product. `all`: every patch is embedded and the visible ones are
 * taken after it, as released codes do and papers count. The result is the same.
 */
export type EmbedPatches = 'visible' | 'all';

export interface EmbeddingOptions {
  readonly patch: PatchSize;
  readonly embedPatches: EmbedPatches;
}

/**
 * Visible patches, embedded by the linear map `NAME`.
 * @returns [B, V, D]
 */
export function visiblePatches(images_BHWC: Tensor4D, plan: PlanTensors, params: Params, name: string, { patch, embedPatches }: EmbeddingOptions): Tensor3D {
  const embedded = part('patch', () => {
    const patches = patchify(images_BHWC, patch);
    const take = (rows: Tensor2D): Tensor2D => gatherRows(rows, plan.visibleRows, visibleInverse(plan));
    return embedPatches === 'visible' ? linear(take(patches), params, name) : take(linear(patches, params, name));
  });
  return tf.reshape(embedded, [plan.batch, plan.counts.visible, embedded.shape[1]]);
}
