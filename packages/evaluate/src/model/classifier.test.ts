import '@tensorflow/tfjs';
import { CompositionError, ConfigError, randomStream, type Architecture, type Params } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createClassifier, type ClassifierOptions } from './classifier.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const vit: Architecture = { kind: 'vit', patch: { height: 2, width: 4 }, width: 8, depth: 2, heads: 2, mlpRatio: 2 };
const swin: Architecture = { kind: 'swin', patch: { height: 2, width: 2 }, width: 4, depths: [1, 1], heads: [1, 2], mlpRatio: 2, window: 2 };
const image = { height: 8, width: 8, channels: 2 };
const build = (options: Partial<ClassifierOptions> = {}) => createClassifier({ architecture: vit, image, classes: 5, pool: 'mean', ...options });

const paramsOf = (classifier: ReturnType<typeof build>, seed = 'a'): Params =>
  Object.fromEntries(Object.entries(classifier.params()).map(([name, { shape }]) => {
    const random = randomStream(seed, name);
    return [name, tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() / 2), [...shape])];
  })); // prettier-ignore
const images = (batch: number): Tensor4D => {
  const random = randomStream('images');
  return tf.tensor4d(Float32Array.from({ length: batch * 128 }, () => random.normal()), [batch, 8, 8, 2]);
};

describe('a classifier', () => {
  it('has a new norm in place of the final one for the mean of the tokens, and the final one for the class token', () => {
    expect(Object.keys(build().params()).filter((name) => /^(fc_)?norm/.test(name))).toEqual(['fc_norm.weight', 'fc_norm.bias']);
    expect(Object.keys(build({ pool: 'cls' }).params()).filter((name) => /^(fc_)?norm/.test(name))).toEqual(['norm.weight', 'norm.bias']);
    expect(Object.keys(build({ architecture: swin }).params()).filter((name) => /^(fc_)?norm/.test(name))).toEqual(['norm.weight', 'norm.bias']);
  });

  it('starts with a head that hardly says anything', () => {
    const spread = (options: Partial<ClassifierOptions>): number => {
      const { shape, init } = build(options).params()['head.weight']!;
      return Math.max(...init(shape, randomStream('head')).map(Math.abs));
    };
    expect(spread({})).toBeLessThan(1e-4);
    expect(spread({ architecture: swin })).toBeGreaterThan(0.01);
  });

  it.each([vit, swin])('scores every image by itself ($kind)', (architecture) => {
    const classifier = build({ architecture });
    const params = paramsOf(classifier);
    const score = (given: Tensor4D): number[] => [...classifier.logits(classifier.features(given, params), params).dataSync()];
    const both = images(2);
    const whole = score(both);
    expect(whole).toHaveLength(10);
    const second = score(tf.slice(both, [1, 0, 0, 0], [1, 8, 8, 2]));
    second.forEach((value, i) => expect(value).toBeCloseTo(whole[5 + i] as number, 4));
  });

  it('takes the class token where it is asked for, which other patches reach through attention alone', () => {
    const classifier = build({ pool: 'cls' });
    const params = paramsOf(classifier);
    expect(classifier.features(images(3), params).shape).toEqual([3, 8]);
  });

  it('drops a residual branch where its draw says so, and scales what stays', () => {
    const classifier = build({ dropPath: 0.5 });
    const params = paramsOf(classifier);
    const given = images(1);
    const featuresWith = (draw: number): number[] => {
      const random = { dropPath: tf.fill([4, 1], draw) };
      return [...classifier.features(given, params, (block) => classifier.depth.rule({ training: true, random }, block)).dataSync()];
    };
    expect(classifier.depth.randomInputs(3)).toEqual({ dropPath: { shape: [4, 3], distribution: 'uniform' } });
    expect(featuresWith(0.1)).not.toEqual(featuresWith(0.9));
    expect(featuresWith(0.6)).toEqual(featuresWith(0.9));
  });

  it('refuses the class token of a network without one, and patches that do not divide the image', () => {
    expect(() => build({ architecture: swin, pool: 'cls' })).toThrow(CompositionError);
    expect(() => build({ image: { ...image, height: 7 } })).toThrow(ConfigError);
  });
});
