import * as tf from '@tensorflow/tfjs';
import {
  composeRun,
  createObjective,
  fullPlan,
  planTensors,
  randomStream,
  stackPlans,
  totalMacs,
  type ImageSpec,
  type Objective,
  type ObjectiveBatch,
  type ObjectiveOptions,
  type Params,
  type ParamSpecs,
  type TokenPlan,
} from '@mimlab/core';
import { beforeAll, describe, expect, it } from 'vitest';
import plugin, { mae, MaeConfig } from './index.js';

const image: ImageSpec = { height: 6, width: 8, channels: 2 };
const small = { patchSize: [3, 2], width: 8, depth: 2, heads: 2, mlpRatio: 2, decoderWidth: 8, decoderDepth: 1, decoderHeads: 2, maskRatio: 0.5 };

const objectiveOf = (config: Record<string, unknown> = {}, of: ImageSpec = image, options: ObjectiveOptions = {}): Objective =>
  createObjective(composeRun({ image: of, method: { plugin: mae, config: MaeConfig.parse({ ...small, ...config }) } }), options);

const paramsOf = (specs: ParamSpecs): Params =>
  Object.fromEntries(Object.entries(specs).map(([name, { shape, init }]) => [name, tf.tensor(init(shape, randomStream(name)), [...shape])]));

const crop = { top: 0, left: 0, height: 6, width: 8, sourceHeight: 6, sourceWidth: 8, flip: false };
const planFor = ({ sampler, grid }: Objective, sampleId: number): TokenPlan =>
  sampler.sample({ grid, streams: { mask: randomStream('mask', sampleId), sample: randomStream('sample', sampleId) }, sampleId, epoch: 0, crop });

function batchOf(objective: Objective, plans = [planFor(objective, 0), planFor(objective, 1)], of: ImageSpec = image): ObjectiveBatch {
  const shape: [number, number, number, number] = [plans.length, of.height, of.width, of.channels];
  const inputs = Object.entries(stackPlans(plans)).map(([name, { data, shape: sides }]) => [name, tf.tensor(data as Int32Array, [...sides], 'int32')] as const);
  return {
    images_BHWC: tf.tensor4d(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(7 * i + 1)), shape),
    plan: planTensors(Object.fromEntries(inputs), objective.grid),
  };
}
const lossOf = (objective: Objective, params = paramsOf(objective.params()), batch = batchOf(objective)): number =>
  objective.evaluate(batch, params, true).loss.dataSync()[0] as number;

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend('cpu');
});

describe('the MAE plugin', () => {
  it('is the default export, and says which paper it implements', () => {
    expect(plugin).toBe(mae);
    expect([mae.kind, mae.name, mae.paper]).toEqual(['method', 'mae', 'arXiv:2111.06377']);
  });

  it('gives a finite loss on images that are not square and have two channels', () => {
    expect(Number.isFinite(lossOf(objectiveOf()))).toBe(true);
  });

  it('gives the same loss whichever patches are embedded and whichever tokens are predicted', () => {
    const loss = lossOf(objectiveOf());
    expect(lossOf(objectiveOf({ embedPatches: 'all' }))).toBeCloseTo(loss, 5);
    expect(lossOf(objectiveOf({}, image, { predictTokens: 'sequence' }))).toBeCloseTo(loss, 5);
  });

  it('has a gradient for every trainable parameter', () => {
    const objective = objectiveOf();
    const specs = objective.params();
    const params = paramsOf(specs);
    const names = Object.keys(specs).filter((name) => specs[name]!.trainable);
    const batch = batchOf(objective);
    const gradients = tf.grads((...values) =>
      objective.evaluate(batch, { ...params, ...Object.fromEntries(names.map((name, i) => [name, values[i]!])) }, true).loss,
    )(names.map((name) => params[name]!));
    names.forEach((name, i) => {
      expect(gradients[i]!.abs().max().dataSync()[0], name).toBeGreaterThan(0);
    });
  });

  it('scores predictions of zero at (P - 1) / P under normalised pixels', () => {
    const objective = objectiveOf();
    const params = { ...paramsOf(objective.params()) };
    for (const name of ['decoder_pred.weight', 'decoder_pred.bias']) params[name] = tf.zerosLike(params[name]!);
    // P = 3 * 2 * 2 = 12 values a patch.
    expect(lossOf(objective, params)).toBeCloseTo(11 / 12, 3);
  });

  it('freezes the position tables and nothing else', () => {
    const specs = objectiveOf().params();
    expect(Object.keys(specs).filter((name) => !specs[name]!.trainable)).toEqual(['pos_embed', 'decoder_pos_embed']);
  });

  it('encodes whole images for evaluation', () => {
    const objective = objectiveOf();
    const { images_BHWC, plan } = batchOf(objective, [fullPlan(objective.grid)]);
    const features = objective.encoder.encode(images_BHWC, plan, paramsOf(objective.encoder.params()), { training: false, random: {} });
    expect(features[objective.encoder.output]?.shape).toEqual([1, 1 + 8, 8]);
  });

  it('leaks no tensor', () => {
    const objective = objectiveOf();
    const params = paramsOf(objective.params());
    const batch = batchOf(objective);
    const step = (): void =>
      tf.tidy(() => {
        tf.grad((token) => objective.evaluate(batch, { ...params, mask_token: token }, true).loss)(params['mask_token']!);
      });
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) step();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('what MAE costs', () => {
  const official: ImageSpec = { height: 224, width: 224, channels: 3 };
  const costOf = (config: Record<string, unknown>): number => {
    const run = composeRun({ image: official, method: { plugin: mae, config: MaeConfig.parse({ ...config, ...mae.paperCount }) } });
    return totalMacs(createObjective(run, { predictTokens: 'sequence' }).macs());
  };

  it('is the published cost of ViT-B/16 and ViT-L/16 as papers count', () => {
    expect(costOf({})).toBe(9_781_133_312);
    expect(costOf({ width: 1024, depth: 24, heads: 16 })).toBe(20_755_783_680);
  });

  it('goes under the names of the traced parts', () => {
    expect(Object.keys(objectiveOf().macs()).sort()).toEqual(['decoder', 'decoderEmbed', 'encoder', 'head', 'patch']);
  });
});

describe('MAE on images it cannot take', () => {
  it('says which side the patch does not divide', () => {
    expect(() => objectiveOf({ patchSize: 4 })).toThrow(/patchSize: an image of height 6 cannot be cut into patches of height 4/);
  });

  it('says that a mask ratio hides nothing on this grid', () => {
    expect(() => objectiveOf({ maskRatio: 0.99 })).toThrow(/maskRatio: a mask ratio of 0.99 on 8 tokens leaves no token visible/);
  });
});
