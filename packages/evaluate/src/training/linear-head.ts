import type { ParamSpecs } from '@mimlab/core';
import type { Optimization, StepDefinition } from '@mimlab/engine';
import { linear, linearParams, normal, ones, zeros } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { softCrossEntropy } from './classifier-step.js';

const EPSILON = 1e-6;
const MOMENTUM = 0.1;
const [MEAN, VARIANCE, LINEAR] = ['head.0.running_mean', 'head.0.running_var', 'head.1'] as const;

/**
 * The head of the official linear probe: batch norm without gain and offset, then a linear map. Official names; the running
 * statistics are parameters that no gradient changes.
 */
export function linearHeadParams(width: number, classes: number): ParamSpecs {
  const statistic = { shape: [width], trainable: false, layout: { kind: 'same' } } as const;
  return {
    [MEAN]: { ...statistic, init: zeros },
    [VARIANCE]: { ...statistic, init: ones },
    ...linearParams(LINEAR, width, classes, { weight: normal(0.01), bias: zeros }),
  };
}

const normalized = (features: Tensor2D, mean: Tensor1D, variance: Tensor1D): Tensor2D => tf.mul(tf.sub(features, mean), tf.rsqrt(tf.add(variance, EPSILON)));

/**
 * One step of the probe on frozen features. Batches are normed by their own mean and biased variance; the running variance
 * is fed with the unbiased one (PyTorch's BatchNorm1d).
 * Inputs `features` [B, D] and `targets` [B, classes]; outputs `normalized`, `logits`.
 */
export const linearHeadStep = (specs: ParamSpecs, optimize: Optimization): StepDefinition => ({
  name: 'linear-probe',
  state: Object.keys(specs),
  optimize,
  compute(state, inputs) {
    const features_BD = inputs['features'] as Tensor2D;
    const [batch] = features_BD.shape;
    const mean = tf.mean(features_BD, 0) as Tensor1D;
    const variance = tf.mean(tf.square(tf.sub(features_BD, mean)), 0) as Tensor1D;
    const running = (name: string, value: Tensor1D): Tensor1D => tf.add(tf.mul(state[name] as Tensor1D, 1 - MOMENTUM), tf.mul(value, MOMENTUM));
    const normed = normalized(features_BD, mean, variance);
    const logits = linear(normed, state, LINEAR);
    return {
      loss: softCrossEntropy(logits, inputs['targets'] as Tensor2D),
      outputs: { normalized: normed, logits },
      assign: { [MEAN]: running(MEAN, mean), [VARIANCE]: running(VARIANCE, tf.mul(variance, batch / Math.max(1, batch - 1))) },
    };
  },
});

/** Scores by the running statistics. Input `features` [B, D], output `logits`. */
export const linearScoringStep = (specs: ParamSpecs): StepDefinition => ({
  name: 'linear-score',
  state: Object.keys(specs),
  compute(state, inputs) {
    const normed = normalized(inputs['features'] as Tensor2D, state[MEAN] as Tensor1D, state[VARIANCE] as Tensor1D);
    return { outputs: { logits: linear(normed, state, LINEAR) } };
  },
});
