import { roleMask, type PlanTensors, type Scoring } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { ProgressiveOptions } from './progressive-options.js';

/** Retained and thrown tokens, each group with its weight. A weight of 1 leaves the mask as it is, bit for bit. */
export function weightsByRole({ retained, thrown }: ProgressiveOptions['lossWeights']): Scoring['weights'] {
  const weighed = (plan: PlanTensors, role: 'retained' | 'thrown', weight: number): Tensor2D =>
    weight === 1 ? roleMask(plan, role) : tf.mul(roleMask(plan, role), weight);
  return (plan) => {
    const kept = weighed(plan, 'retained', retained);
    return plan.counts.thrown === 0 ? kept : tf.add(kept, weighed(plan, 'thrown', thrown));
  };
}

/**
 * Loss subsetting: 1 at the cells of the first `picks` retained tokens. A known token's place follows from its row in
 * the plan, row = b * (V + K) + place, so no further input is needed.
 */
export function weightsOfPicks(picksOf: (plan: PlanTensors) => number): Scoring['weights'] {
  return (plan) => {
    const { visible, retained } = plan.counts;
    const [batch, cells] = plan.roles_BN.shape;
    const firstRows = tf.tensor2d(Int32Array.from({ length: batch }, (_, b) => b * (visible + retained)), [batch, 1], 'int32');
    const place_BN = tf.sub(tf.reshape(plan.gridRows, [batch, cells]), firstRows);
    const picked = tf.cast(tf.less(place_BN, tf.scalar(visible + picksOf(plan), 'int32')), 'float32');
    return tf.mul(picked, roleMask(plan, 'retained'));
  };
}
