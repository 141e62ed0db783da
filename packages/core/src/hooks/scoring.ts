import type { Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ROLE, type PlanTensors } from '../plan/plan-batch.js';

/** Which tokens the loss asks for. Unwrapped methods use `scoreRetained`; pr-mim brings its own. */
export interface Scoring {
  /**
   * `retained`: a token-wise head works on the retained tokens alone; `sequence`: on everything the decoder holds,
   * class token included, as the released codes do. The loss is the same.
   */
  readonly predictTokens: 'retained' | 'sequence';
  /** Weight of each cell, [B, N], raster order. */
  weights(plan: PlanTensors): Tensor2D;
}

/** 1 where the cell has the given role, else 0; float32 [B, N]. */
export const roleMask = (plan: PlanTensors, role: keyof typeof ROLE): Tensor2D =>
  tf.cast(tf.equal(plan.roles_BN, tf.scalar(ROLE[role], 'int32')), 'float32') as Tensor2D;

/** Every retained token counts once. An unwrapped plan retains all masked tokens, so this is the method's own loss. */
export const scoreRetained: Scoring = {
  predictTokens: 'retained',
  weights: (plan) => roleMask(plan, 'retained'),
};
