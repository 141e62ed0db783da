import * as tf from '@tensorflow/tfjs';
import { composeRun, createObjective, examplePlan, fullPlan, planTensors, randomStream, stackPlans, type ImageSpec, type Objective, type Params } from '@mimlab/core';
import { denseSwin, layerNorm, linear, patchify, randomMasking, swinStages, VIT_EPSILON } from '@mimlab/nn';
import { beforeAll, describe, expect, it } from 'vitest';
import { LocalMimConfig } from './config.js';
import { localMim } from './plugin.js';

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
    const stages = swinStages({ grid: { rows: 16, columns: 16 }, width: 4, depths: [2, 1, 1], heads: [1, 2, 2], window: 4, mlpRatio: 4 });
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

  it('refuses a sampler that makes no group tables', () => {
    const other = { ...localMim, name: 'other', hooks: () => ({ sampler: () => randomMasking({ maskRatio: 0.5 }) }) };
    const run = composeRun({ image, method: { plugin: localMim, config }, hooks: { sampler: { plugin: other, config } } });
    expect(() => createObjective(run)).toThrow(/hooks.sampler: the encoder carries visible tokens alone and needs one mask for the whole batch with its group tables/);
  });

  it('takes windows that do not tile its grids', () => {
    expect(() => objectiveOf({ window: 5 })).not.toThrow();
  });
});

describe('masks of units', () => {
  it.each([
    ['corrected', 0.5, 9],
    ['corrected', 0.75, 13],
    ['released', 0.3, 5],
  ] as const)('hide one unit of 16 more than the whole part of ratio times units (%s merging, %d: %d)', (merging, maskRatio, retained) => {
    const { sampler, grid } = objectiveOf({ merging, maskRatio });
    expect([sampler.scope, sampler.counts(grid)]).toEqual(['batch', { visible: 16 - retained, retained, thrown: 0 }]);
  });

  it('must leave a unit visible', () => {
    expect(() => objectiveOf({ maskRatio: 0.95 })).toThrow(/maskRatio: a mask ratio of 0\.95 hides all 16 units/);
  });

  it('stand in the places that the merging tells', () => {
    const placesWith = (merging: string): Int32Array => examplePlan(objectiveOf({ merging })).aux!['stage1.plain.positions']!;
    expect(placesWith('released')).not.toEqual(placesWith('corrected'));
  });
});
