import * as tf from '@tensorflow/tfjs';
import {
  composeRun,
  CompositionError,
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
import plugin, { LATENT, simmim, SimMimConfig } from './index.js';

const image: ImageSpec = { height: 8, width: 12, channels: 2 };
const vit = { patchSize: 2, maskUnit: 4, width: 8, depth: 2, heads: 2, mlpRatio: 2, dropPath: 0 };
const swin = { arch: 'swin', patchSize: 2, maskUnit: 2, width: 4, depth: [2, 1], heads: [1, 2], window: 2, mlpRatio: 2 };
const square: ImageSpec = { height: 8, width: 8, channels: 2 };

const objectiveOf = (config: Record<string, unknown> = vit, of: ImageSpec = image, options: ObjectiveOptions = {}): Objective =>
  createObjective(composeRun({ image: of, method: { plugin: simmim, config: SimMimConfig.parse(config) } }), options);

/** Initial values with noise, so that no zero or one at the start hides an error. */
const paramsOf = (specs: ParamSpecs): Params =>
  Object.fromEntries(
    Object.entries(specs).map(([name, { shape, init }]) => {
      const random = randomStream('noise', name);
      return [name, tf.tensor(init(shape, randomStream(name)).map((value) => value + 0.2 * random.normal()), [...shape])];
    }),
  );

const crop = { top: 0, left: 0, height: 8, width: 8, sourceHeight: 8, sourceWidth: 8, flip: false };
const planFor = ({ sampler, grid }: Objective, sampleId: number): TokenPlan =>
  sampler.sample({ grid, streams: { mask: randomStream('mask', sampleId), sample: randomStream('sample', sampleId) }, sampleId, epoch: 0, crop });

function batchOf(objective: Objective, plans = [planFor(objective, 0), planFor(objective, 1)]): ObjectiveBatch {
  const { height, width, channels } = objective.image;
  const shape: [number, number, number, number] = [plans.length, height, width, channels];
  const inputs = Object.entries(stackPlans(plans)).map(([name, { data, shape: sides }]) => [name, tf.tensor(data as Int32Array, [...sides], 'int32')] as const);
  return {
    images_BHWC: tf.tensor4d(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(7 * i + 1)), shape),
    plan: planTensors(Object.fromEntries(inputs), objective.grid),
  };
}
const lossOf = (objective: Objective, batch = batchOf(objective), params = paramsOf(objective.params())): number =>
  objective.evaluate(batch, params, true).loss.dataSync()[0] as number;

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend('cpu');
});

describe('the SimMIM plugin', () => {
  it('is the default export, and says which paper it implements', () => {
    expect(plugin).toBe(simmim);
    expect([simmim.kind, simmim.name, simmim.paper]).toEqual(['method', 'simmim', 'arXiv:2111.09886']);
  });

  it('gives the same loss whichever patches are embedded, tokens predicted and sides of the norm cut', () => {
    const loss = lossOf(objectiveOf());
    expect(lossOf(objectiveOf({ ...vit, embedPatches: 'all' }))).toBeCloseTo(loss, 5);
    expect(lossOf(objectiveOf(vit, image, { predictTokens: 'sequence' }))).toBeCloseTo(loss, 5);
    expect(lossOf(objectiveOf({ ...vit, aggregatePosition: 'after-norm' }))).toBeCloseTo(loss, 5);
  });

  it('does not care in which order hidden tokens come', () => {
    const objective = objectiveOf();
    const plans = [planFor(objective, 0), planFor(objective, 1)];
    const turned = plans.map((plan) => ({ ...plan, retained: plan.retained.slice().reverse(), visible: plan.visible.slice().reverse() }));
    expect(lossOf(objective, batchOf(objective, turned))).toBeCloseTo(lossOf(objective, batchOf(objective, plans)), 5);
  });

  it('scores a flat prediction of zero by the mean magnitude of the hidden pixels', () => {
    const objective = objectiveOf();
    const params = { ...paramsOf(objective.params()) };
    for (const name of ['decoder.0.weight', 'decoder.0.bias']) params[name] = tf.zerosLike(params[name]!);
    const batch = batchOf(objective);
    const pixels = batch.images_BHWC.dataSync();
    let [sum, count] = [0, 0];
    [0, 1].forEach((b) => {
      for (const cell of planFor(objective, b).retained) {
        for (let pixel = 0; pixel < 4; pixel++) {
          const [y, x] = [2 * Math.floor(cell / 6) + Math.floor(pixel / 2), 2 * (cell % 6) + (pixel % 2)];
          for (let c = 0; c < 2; c++, count++) sum += Math.abs(pixels[((b * 8 + y) * 12 + x) * 2 + c] as number);
        }
      }
    });
    expect(lossOf(objective, batch, params)).toBeCloseTo(sum / count, 5);
  });

  it('predicts for every patch of a Swin, though its last stage has coarser cells', () => {
    const objective = objectiveOf(swin, square);
    const { predictions, features } = objective.evaluate(batchOf(objective), paramsOf(objective.params()), false);
    expect(features[LATENT]?.shape).toEqual([2, 4, 8]);
    expect(predictions['pixels']?.values['patches']?.shape).toEqual([2, 16, 8]);
  });

  it('encodes whole images for evaluation', () => {
    for (const [config, of, tokens] of [[vit, image, 25], [swin, square, 4]] as const) {
      const objective = objectiveOf(config, of);
      const { images_BHWC, plan } = batchOf(objective, [fullPlan(objective.grid)]);
      const features = objective.encoder.encode(images_BHWC, plan, paramsOf(objective.encoder.params()), { training: false, random: {} });
      expect(features[objective.encoder.output]?.shape).toEqual([1, tokens, 8]);
    }
  });

  it('drops residual branches of whole images while it trains, by the draws of the step', () => {
    const objective = objectiveOf({ ...vit, dropPath: 0.5 });
    expect(objective.randomInputs(3)).toEqual({ 'encoder.dropPath': { shape: [4, 3], distribution: 'uniform' } });
    const params = paramsOf(objective.params());
    const batch = batchOf(objective);
    const tokensUnder = (draw: number, training: boolean): Float32Array =>
      objective.evaluate({ ...batch, random: { 'encoder.dropPath': tf.fill([4, 2], draw) } }, params, training).features['tokens']!.dataSync() as Float32Array;
    const whole = tokensUnder(0, false);
    expect(tokensUnder(0.9, false)).toEqual(whole);
    // The second block stays, and counts twice, or goes.
    expect(tokensUnder(0.9, true)).not.toEqual(whole);
    expect(tokensUnder(0.1, true)).not.toEqual(tokensUnder(0.9, true));
    expect(objectiveOf().randomInputs(3)).toEqual({});
  });

  it('offers the class token’s attention to the cells in its last block', () => {
    const objective = objectiveOf();
    const params = paramsOf(objective.encoder.params());
    const attend = (order: (cell: number) => number): tf.Tensor3D => {
      const { images_BHWC, plan } = batchOf(objective, [{ ...fullPlan(objective.grid), visible: Int32Array.from({ length: 24 }, (_, i) => order(i)) }]);
      return objective.encoder.classAttention!(images_BHWC, plan, params, { training: false, random: {} });
    };
    const raster = attend((i) => i);
    expect(raster.shape).toEqual([1, 2, 24]);
    for (const sum of tf.sum(raster, 2).dataSync()) expect(sum > 0 && sum < 1).toBe(true);
    const turned = tf.reverse(attend((i) => 23 - i), 2).dataSync();
    raster.dataSync().forEach((value, i) => expect(turned[i]).toBeCloseTo(value, 5));
    expect(objectiveOf(swin, square).encoder.classAttention).toBeUndefined();
  });

  it('starts as the released code does', () => {
    const specs = objectiveOf({ ...vit, width: 64, layerScale: 0.1 }).params();
    const initial = (name: string): Float32Array => specs[name]!.init(specs[name]!.shape, randomStream(name));
    const extent = (name: string): number => initial(name).reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    expect(extent('encoder.blocks.0.attn.qkv.weight')).toBeCloseTo(0.02, 3);
    // Divided by sqrt(2 i), i = 1 and 2.
    expect(extent('encoder.blocks.0.mlp.fc2.weight')).toBeCloseTo(0.02 / Math.SQRT2, 3);
    expect(extent('encoder.blocks.1.attn.proj.weight')).toBeCloseTo(0.01, 3);
    expect(extent('encoder.rel_pos_bias.relative_position_bias_table')).toBe(0);
    expect(extent('encoder.patch_embed.proj.bias')).toBe(0);
    expect([...new Set(initial('encoder.blocks.0.gamma_1'))]).toEqual([Math.fround(0.1)]);
    // PyTorch's default for convolutions: 1 / sqrt(64).
    expect(extent('decoder.0.weight')).toBeCloseTo(0.125, 2);
    expect(Math.max(extent('decoder.0.bias'))).toBeGreaterThan(0.02);
  });

  it('spares from weight decay what the released code spares, or what it meant to', () => {
    const spared = (config: Record<string, unknown>, of: ImageSpec): string[] =>
      Object.entries(objectiveOf(config, of).params()).flatMap(([name, { decay }]) => (decay === false ? [name.replace(/^encoder\./, '')] : []));
    expect(spared(vit, image)).toEqual(['cls_token']);
    expect(spared({ ...vit, exemptTables: 'intended' }, image)).toEqual(['cls_token', 'mask_token', 'rel_pos_bias.relative_position_bias_table']);
    expect(spared({ ...vit, positions: 'learned' }, image)).toEqual(['cls_token', 'pos_embed']);
    expect(spared(swin, square)).toEqual(['mask_token']);
    expect(spared({ ...swin, exemptTables: 'intended' }, square)).toHaveLength(4);
  });

  it('places tokens by learned positions instead of relative ones, which start as all weights do', () => {
    const learned = objectiveOf({ ...vit, positions: 'learned' });
    const specs = learned.params();
    expect(Object.keys(specs).slice(0, 3)).toEqual(['encoder.cls_token', 'encoder.pos_embed', 'encoder.mask_token']);
    expect(Object.keys(specs).filter((name) => name.endsWith('position_bias_table'))).toEqual([]);
    const { shape, init, trainable } = specs['encoder.pos_embed']!;
    expect([shape, trainable]).toEqual([[1, 25, 8], true]);
    expect(init(shape, randomStream('positions')).reduce((max, value) => Math.max(max, Math.abs(value)), 0)).toBeCloseTo(0.02, 3);
  });

  it('keeps the scale that AMT’s attention forgets, but neither applies nor learns it', () => {
    const forgetful = { ...vit, layerScaleOn: 'mlp' };
    const objective = objectiveOf(forgetful);
    const [scale, params] = ['encoder.blocks.0.gamma_1', paramsOf(objective.params())];
    expect(objective.params()[scale]?.trainable).toBe(false);
    const doubled = { ...params, [scale]: tf.mul(params[scale]!, 2) };
    expect(lossOf(objective, batchOf(objective), doubled)).toBe(lossOf(objective, batchOf(objective), params));
    expect(lossOf(objectiveOf(), batchOf(objective), doubled)).not.toBe(lossOf(objectiveOf(), batchOf(objective), params));
  });

  it('leaks no tensor', () => {
    const objective = objectiveOf();
    const params = paramsOf(objective.params());
    const batch = batchOf(objective);
    const table = 'encoder.rel_pos_bias.relative_position_bias_table';
    const step = (): void =>
      tf.tidy(() => {
        tf.grad((value) => objective.evaluate(batch, { ...params, [table]: value }, true).loss)(params[table]!);
      });
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) step();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('what SimMIM costs', () => {
  const costOf = (config: Record<string, unknown>, side: number): number => {
    const run = composeRun({ image: { height: side, width: side, channels: 3 }, method: { plugin: simmim, config: SimMimConfig.parse({ ...config, ...simmim.paperCount }) } });
    return totalMacs(createObjective(run, { predictTokens: 'sequence' }).macs()) / 1e9;
  };

  it('is the published cost of ViT-B, Swin-B and Swin-L as papers count', () => {
    expect(costOf({}, 224)).toBeCloseTo(17.679, 3);
    expect(costOf({ arch: 'swin' }, 192)).toBeCloseTo(11.39, 3);
    expect(costOf({ arch: 'swin', width: 192, heads: [6, 12, 24, 48], window: 12 }, 192)).toBeCloseTo(26.125, 2);
  });
});

describe('SimMIM on what it cannot take', () => {
  it.each([
    [{ ...vit, patchSize: 3, maskUnit: 3 }, image, /patchSize: an image of height 8 cannot be cut into patches of height 3/],
    [{ ...vit, maskUnit: 6 }, image, /maskUnit: units of 3 x 3 tokens do not tile a grid of 4 x 6/],
    [{ ...vit, maskRatio: 0.99 }, image, /maskRatio: a mask ratio of 0.99 hides all 6 units/],
    [{ ...swin, window: 3 }, square, /window: stage 0 works on a grid of 4 x 4, which cannot be cut into windows of 3/],
    [{ ...swin, patchSize: [2, 4], maskUnit: 4 }, square, /patchSize: patches of 2 x 4 pixels are not square/],
  ] as const)('says what does not fit: %j', (config, of, message) => {
    expect(() => objectiveOf(config, of)).toThrow(message);
  });

  it('refuses thrown tokens in windows, and tokens that come twice', () => {
    const encode = (objective: Objective, plan: TokenPlan): unknown => {
      const batch = batchOf(objective, [plan]);
      return objective.encoder.encode(batch.images_BHWC, batch.plan, paramsOf(objective.params()), { training: false, random: {} });
    };
    const whole = objectiveOf(swin, square);
    const plan = planFor(whole, 0);
    const throwing = { ...plan, retained: plan.retained.slice(1), thrown: plan.retained.slice(0, 1) };
    expect(() => encode(whole, throwing)).toThrow(CompositionError);
    expect(() => encode(whole, throwing)).toThrow(/windows need whole grids/);
    const some = objectiveOf();
    const known = planFor(some, 0);
    expect(() => encode(some, { ...known, retained: known.retained.slice(2), thrown: known.retained.slice(0, 2).sort(), repeated: known.visible.slice(0, 1) })).toThrow(/takes every token once/);
  });

  it('refuses an encoder that gives visible tokens only', () => {
    const objective = objectiveOf();
    const visible = { ...objective.encoder, features: { tokens: { width: 8, cells: 'visible' as const, cls: true } } };
    const foreign = { ...simmim, hooks: () => ({ encoder: () => visible }) };
    const config = SimMimConfig.parse(vit);
    expect(() => createObjective(composeRun({ image, method: { plugin: simmim, config }, hooks: { encoder: { plugin: foreign, config } } }))).toThrow(/the decoder reads the feature 'tokens' of all tokens/);
  });
});
