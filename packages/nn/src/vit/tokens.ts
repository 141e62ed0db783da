import { CompositionError, ROLE, type Params, type PlanTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { lookupRows, type InverseRows } from '../layers/gather-rows.js';
import { param } from '../params/lookup.js';

/**
 * Rows of a position table [1, (1 +) N, D] for the given cells, in their order; with `cls` the class token's row comes
 * first for every image.
 * @param cells int32 [B, n]
 * @returns [B, (1 +) n, D]
 */
export function positionsOf(params: Params, name: string, cells: Tensor2D, cls: boolean): Tensor3D {
  const table = param<Tensor3D>(params, name);
  const [, size, width] = table.shape;
  const [batch, tokens] = cells.shape;
  const ids = cls ? tf.concat([tf.zeros([batch, 1], 'int32'), tf.add(cells, tf.scalar(1, 'int32'))], 1) : cells;
  const rows = lookupRows(tf.reshape(table, [size, width]), tf.reshape(ids, [-1]));
  return tf.reshape(rows, [batch, tokens + (cls ? 1 : 0), width]);
}

/** A learned token [1, 1, D] once for each of [batch, tokens]. By addition, whose gradient every backend has (tile's is slow). */
export function repeatToken(token: Tensor, batch: number, tokens: number): Tensor3D {
  const width = token.shape[token.shape.length - 1] as number;
  return tf.add(tf.zeros([batch, tokens, width]), tf.reshape(token, [1, 1, width]));
}

/** Inverse of `plan.visibleRows` over the grid rows. The plan holds it for the known tokens; visible ones stand first among them. */
export function visibleInverse(plan: PlanTensors): InverseRows {
  const { batch, counts } = plan;
  const missing = batch * counts.visible;
  return {
    from: [plan.gridRows, plan.roles_BN],
    compute: ([gridRows, roles_BN]) => {
      const roles = roles_BN as Tensor2D;
      // A known row is b * (V + K) + place, a visible row b * V + place.
      const offsets = tf.tensor2d(Int32Array.from({ length: batch }, (_, b) => b * counts.retained), [batch, 1], 'int32');
      const visibleRow = tf.sub(tf.reshape(gridRows as Tensor1D, roles.shape), offsets);
      const isVisible = tf.equal(roles, tf.scalar(ROLE.visible, 'int32'));
      return tf.reshape(tf.where(isVisible, visibleRow, tf.fill(roles.shape, missing, 'int32')), [-1]);
    },
  };
}

/** Refuses plans that an encoder of hidden tokens cannot take. @throws CompositionError */
export function refuseRepeats({ counts }: PlanTensors): void {
  if (counts.repeats !== true) return;
  throw new CompositionError('the encoder takes every token once, the sampler gives some a mask token besides', {
    place: 'wrap',
    remedy: 'Choose a sampler that keeps to the masked tokens.',
  });
}
