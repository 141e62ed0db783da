import '@tensorflow/tfjs';
import type { NamedTensors, Params } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Classifier } from '../model/classifier.js';
import { classifyingStep, KEEP, softCrossEntropy, tuningStep } from './classifier-step.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const numbers = (tensor: tf.Tensor | undefined): number[] => Array.from(tensor?.dataSync() ?? [], (value) => Math.round(value * 1e4) / 1e4);

/** Features are the one pixel of an image, plus 100 for each block whose residual branch is dropped. */
const classifier = {
  trunk: { layerOf: (name: string) => Number(name) },
  depth: { rule: ({ training, random }: { training: boolean; random: Params }, block: number) => () => (training && random['dropPath'] !== undefined ? tf.scalar(100 * (block + 1)) : tf.scalar(0)) },
  features: (images_BHWC: tf.Tensor4D, _params: Params, residuals: (block: number) => (branch: tf.Tensor) => tf.Tensor = () => () => tf.scalar(0)) =>
    [0, 1].reduce<tf.Tensor>((sum, block) => {
      const dropped = residuals(block)(tf.scalar(0));
      return tf.add(sum, dropped);
    }, tf.reshape(images_BHWC, [-1, 1])),
  logits: (features_BD: tf.Tensor2D) => tf.concat([features_BD, tf.zerosLike(features_BD)], 1),
} as unknown as Classifier;

const images = (...pixels: number[]): tf.Tensor => tf.tensor4d(pixels, [pixels.length, 1, 1, 1], 'int32');
const statistics = { mean: [0.2], std: [0.5] };
const updates = (...layers: number[]) => ({ updates: Object.fromEntries(layers.map((layer) => [String(layer), { rule: { kind: 'lars', momentum: 0, trust: 1 }, decay: 0, lrScale: 1 } as const])), accumulate: 1 });
const featuresOf = (step: { compute(state: NamedTensors, inputs: NamedTensors): { readonly outputs?: NamedTensors | undefined } }, inputs: NamedTensors): number[] => numbers(step.compute({}, inputs).outputs?.['features']);

describe('soft cross-entropy', () => {
  it('is the mean over the batch of what the targets lack', () => {
    const logits = tf.tensor2d([[0, 0], [Math.log(3), 0]]);
    const targets = tf.tensor2d([[1, 0], [0.5, 0.5]]);
    const second = -(Math.log(0.75) + Math.log(0.25)) / 2;
    expect(softCrossEntropy(logits, targets).dataSync()[0]).toBeCloseTo((Math.log(2) + second) / 2, 5);
  });

  it('stays finite where a score is far ahead', () => {
    expect(softCrossEntropy(tf.tensor2d([[1e4, 0]]), tf.tensor2d([[0, 1]])).dataSync()[0]).toBeCloseTo(1e4, 0);
  });
});

describe('the images of a step', () => {
  it('are normalised by the statistics given', () => {
    expect(featuresOf(classifyingStep(classifier, {}, statistics), { images: images(51, 255) })).toEqual([0, 1.6]);
  });

  it('are taken as they come where none are given', () => {
    expect(featuresOf(classifyingStep(classifier, {}), { images: tf.cast(images(3, 7), 'float32') })).toEqual([3, 7]);
  });

  it('are blended with the batch reversed by the share kept, the middle one of three with itself', () => {
    const keep = tf.fill([1, 1, 1], 0.75);
    expect(featuresOf(tuningStep(classifier, {}, updates()), { images: tf.cast(images(0, 10, 40), 'float32'), [KEEP]: keep, targets: tf.zeros([3, 2]) })).toEqual([10, 10, 30]);
  });
});

describe('stochastic depth', () => {
  const inputs = (): NamedTensors => ({ images: images(0), 'random.dropPath': tf.zeros([1]), targets: tf.zeros([1, 2]) });

  it('works on blocks that learn and spares those that are frozen', () => {
    expect(featuresOf(tuningStep(classifier, {}, updates(1, 2, 3)), inputs())).toEqual([300]);
    expect(featuresOf(tuningStep(classifier, {}, updates(2, 3)), inputs())).toEqual([200]);
    expect(featuresOf(tuningStep(classifier, {}, updates(3)), inputs())).toEqual([0]);
  });

  it('is off where there are no draws, and in answers', () => {
    const { images: given, targets } = inputs();
    expect(featuresOf(tuningStep(classifier, {}, updates(1, 2)), { images: given, targets } as NamedTensors)).toEqual([0]);
    expect(featuresOf(classifyingStep(classifier, {}), inputs())).toEqual([0]);
  });
});
