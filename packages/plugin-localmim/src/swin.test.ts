import * as tf from '@tensorflow/tfjs';
import { composeRun, createObjective, fullPlan, planTensors, randomStream, stackPlans, type ImageSpec, type Objective, type Params } from '@mimlab/core';
import { denseSwin, layerNorm, linear, patchify, randomMasking, VIT_EPSILON } from '@mimlab/nn';
import { beforeAll, describe, expect, it } from 'vitest';
import { LocalMimConfig, type LocalMimSwin } from './config.js';
import { localMim } from './plugin.js';
import { checkBatchScope, swinOf } from './swin-encoder.js';
import { hiddenUnits, planOfPermutation, unitSampler } from './unit-sampler.js';

const image: ImageSpec = { height: 32, width: 32, channels: 1 };
const config = LocalMimConfig.parse({ arch: 'swin', patchSize: 2, width: 4, depth: [2, 1, 1], heads: [1, 2, 2], window: 4, decoderWidth: 16, decoderHeads: 2, kind: 'pixels' });
const objectiveOf = (changed: object = {}): Objective => createObjective(composeRun({ image, method: { plugin: localMim, config: { ...config, ...changed } as LocalMimConfig } }));
const paramsOf = (objective: Objective): Params =>
  Object.fromEntries(Object.entries(objective.params()).map(([name, { shape, init }]) => [name, tf.tensor(init(shape, randomStream(name)), [...shape])]));

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend('cpu');
});

describe('the Swin encoder of LocalMIM', () => {
  it('is a plain Swin where everything is visible', () => {
    const objective = objectiveOf();
    const params = paramsOf(objective);
    const images = tf.randomNormal<tf.Rank.R4>([2, 32, 32, 1], 0, 1, 'float32', 3);
    const inputs = Object.entries(stackPlans([fullPlan(objective.grid), fullPlan(objective.grid)])).map(([name, { data, shape }]) => [name, tf.tensor(data as Int32Array, [...shape], 'int32')]);
    const found = objective.encoder.encode(images, planTensors(Object.fromEntries(inputs), objective.grid), params, { training: false, random: {} });
    const embedded = layerNorm(linear(patchify(images, { height: 2, width: 2 }), params, 'encoder.patch_embed.proj'), params, 'encoder.patch_embed.norm');
    const stages = swinOf(config as LocalMimSwin, image).stages;
    const last = denseSwin(embedded, params, stages, { batch: 2, prefix: 'encoder.', epsilon: VIT_EPSILON }).at(-1)!;
    const expected = layerNorm(last, params, 'encoder.norm.2').dataSync();
    found['latent']!.dataSync().forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4));
  });

  it('has a feature behind every stage and its merging, a row for each visible unit', () => {
    const { features } = objectiveOf().encoder;
    expect(Object.entries(features).map(([name, { width }]) => [name, width])).toEqual([['tap0', 2 * 2 * 8], ['tap1', 16], ['latent', 16]]);
  });

  it('decays neither tables of relative positions nor mask tokens', () => {
    const exempt = Object.entries(objectiveOf().params()).filter(([, { decay }]) => decay === false).map(([name]) => name);
    expect(exempt).toHaveLength(4 + 3);
    expect(exempt.every((name) => /relative_position_bias_table|mask_token/.test(name))).toBe(true);
  });

  it('refuses a sampler with a mask for each image', () => {
    expect(() => checkBatchScope(randomMasking({ maskRatio: 0.5 }).scope)).toThrow(/needs one mask for the whole batch/);
  });

  it('refuses images that windows do not divide', () => {
    const run = composeRun({ image: { ...image, width: 24 }, method: { plugin: localMim, config: { ...config, window: 8 } as LocalMimConfig } });
    expect(() => createObjective(run)).toThrow(/stage 0 works on a grid of 16 x 12, which cannot be cut into windows of 8/);
  });
});

describe('masks of units', () => {
  it('hide one unit more than the whole part of ratio times units, as the released comparison does', () => {
    expect([hiddenUnits(49, 0.75), hiddenUnits(16, 0.5)]).toEqual([37, 9]);
  });

  it('are drawn once for a batch; hidden units in random order, visible ones in raster order', () => {
    const plan = planOfPermutation({ rows: 1, columns: 5 }, Int32Array.of(3, 0, 4, 2, 1), 3);
    expect([[...plan.visible], [...plan.retained]]).toEqual([[0, 2], [1, 4, 3]]);
    expect(unitSampler({ maskRatio: 0.5 }).scope).toBe('batch');
  });

  it('must leave a unit visible', () => {
    expect(() => unitSampler({ maskRatio: 0.75 }).counts({ rows: 2, columns: 2 })).toThrow(/maskRatio: a mask ratio of 0\.75 hides all 4 mask units/);
  });
});
