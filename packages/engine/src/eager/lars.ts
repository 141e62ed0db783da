import * as tf from '@tensorflow/tfjs-core';
import type { LarsRule, ParamUpdate } from '../contract.js';

/** A parameter and its optimizer state. */
export interface LarsSlots {
  readonly param: tf.Variable;
  /** The gradients so far, scaled, under momentum. */
  readonly mu: tf.Variable;
}

/**
 * One LARS update in place; see `LarsRule`. The learning rate stays outside the momentum.
 * Source: official MAE, util/lars.py (golden/linprobe).
 */
export function applyLars({ param, mu }: LarsSlots, gradient: tf.Tensor, update: ParamUpdate & { readonly rule: LarsRule }, baseLr: number): void {
  const { momentum } = update.rule;
  tf.tidy(() => {
    mu.assign(tf.add(tf.mul(mu, momentum), param.rank > 1 ? trusted(param, gradient, update) : gradient));
    param.assign(tf.sub(param, tf.mul(mu, baseLr * update.lrScale)));
  });
}

function trusted(param: tf.Tensor, gradient: tf.Tensor, { rule, decay }: ParamUpdate & { readonly rule: LarsRule }): tf.Tensor {
  const decayed = tf.add(gradient, tf.mul(param, decay));
  const [paramNorm, norm] = [tf.norm(param), tf.norm(decayed)];
  const known = tf.logicalAnd(tf.greater(paramNorm, 0), tf.greater(norm, 0));
  return tf.mul(decayed, tf.where(known, tf.div(tf.mul(paramNorm, rule.trust), norm), tf.onesLike(norm)));
}
