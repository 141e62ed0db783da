import * as tf from '@tensorflow/tfjs-core';
import type { AdamwRule, ParamUpdate } from '../contract.js';

/** A parameter and its optimizer state. */
export interface AdamwSlots {
  readonly param: tf.Variable;
  /** Running mean of the gradient. */
  readonly m: tf.Variable;
  /** Running mean of its square. */
  readonly v: tf.Variable;
}

/**
 * One AdamW update in place, decay first and decoupled:
 * p <- p (1 - lr wd); m <- b1 m + (1-b1) g; v <- b2 v + (1-b2) g²; p <- p - lr/(1-b1^t) m / (sqrt(v)/sqrt(1-b2^t) + eps),
 * with lr the current rate times the parameter's own scale. As `torch.optim.AdamW` computes it (golden/adamw).
 */
export function applyAdamw({ param, m, v }: AdamwSlots, gradient: tf.Tensor, update: ParamUpdate & { readonly rule: AdamwRule }, baseLr: number, step: number): void {
  const { beta1, beta2, eps } = update.rule;
  const lr = baseLr * update.lrScale;
  tf.tidy(() => {
    m.assign(tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1)));
    v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
    const root = tf.add(tf.div(tf.sqrt(v), Math.sqrt(1 - beta2 ** step)), eps);
    const decayed = tf.mul(param, 1 - lr * update.decay);
    param.assign(tf.sub(decayed, tf.mul(tf.div(m, root), lr / (1 - beta1 ** step))));
  });
}
