import { normalizeImages, type NamedTensors, type ParamSpecs, type PixelStatistics, type StepContext } from '@mimlab/core';
import type { Optimization, StepDefinition } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { DROP_PATH, type Classifier } from '../model/classifier.js';
import type { Residuals } from '../model/trunk.js';

/** Inputs of a classifier's step besides `images` and, in training, `targets` [B, classes] and `random.dropPath`. */
export const KEEP = 'mix.keep';

/** Mean over the batch of -sum(target log softmax): targets are shares of classes. */
export function softCrossEntropy(logits_BC: Tensor2D, targets_BC: Tensor2D): Scalar {
  const [batch] = logits_BC.shape;
  return tf.mul(tf.sum(tf.mul(tf.logSoftmax(logits_BC), targets_BC)), -1 / batch);
}

/** Images as the network gets them: normalised, then blended with the batch reversed. */
function preparedImages(inputs: NamedTensors, statistics: PixelStatistics | undefined): Tensor4D {
  const given = inputs['images'] as Tensor;
  const images = statistics === undefined ? (given as Tensor4D) : normalizeImages(given, statistics);
  const keep = inputs[KEEP];
  return keep === undefined ? images : tf.add(tf.mul(images, keep), tf.mul(tf.reverse(images, 0), tf.sub(1, keep)));
}

/** Features and scores of images, nothing else. Inputs: `images`. Outputs `features` [B, D], `logits` [B, classes]. */
export const classifyingStep = (classifier: Classifier, specs: ParamSpecs, statistics?: PixelStatistics): StepDefinition => ({
  name: 'classify',
  state: Object.keys(specs),
  compute(state, inputs) {
    const features = classifier.features(preparedImages(inputs, statistics), state);
    return { outputs: { features, logits: classifier.logits(features, state) } };
  },
});

/**
 * One step of fine-tuning: soft-target cross-entropy. Stochastic depth spares frozen blocks.
 * @param statistics absent: images come normalised
 */
export function tuningStep(classifier: Classifier, specs: ParamSpecs, optimize: Optimization, statistics?: PixelStatistics): StepDefinition {
  const { trunk, depth } = classifier;
  const learning = new Set(Object.keys(optimize.updates).map((name) => trunk.layerOf(name)));
  return {
    name: 'fine-tune',
    state: Object.keys(specs),
    optimize,
    compute(state, inputs) {
      const draws = inputs[`random.${DROP_PATH}`];
      const context: StepContext = { training: true, random: draws === undefined ? {} : { [DROP_PATH]: draws } };
      const residuals: Residuals = (block) => (learning.has(block + 1) ? depth.rule(context, block) : (branch) => branch);
      const features = classifier.features(preparedImages(inputs, statistics), state, residuals);
      const logits = classifier.logits(features, state);
      return { loss: softCrossEntropy(logits, inputs['targets'] as Tensor2D), outputs: { features, logits } };
    },
  };
}
