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
  type ObjectiveOptions,
  type Params,
  type PlanTensors,
  type TokenPlan,
} from '@mimlab/core';
import { LATENT } from '@mimlab/nn';
import { beforeAll, describe, expect, it } from 'vitest';
import plugin, { mff, MffConfig, PLAIN } from './index.js';

const image: ImageSpec = { height: 6, width: 8, channels: 2 };
const small = { patchSize: [3, 2], width: 8, depth: 3, heads: 2, mlpRatio: 2, fuseBlocks: [0, 1, 2], decoderWidth: 8, decoderDepth: 1, decoderHeads: 2, maskRatio: 0.5 };

const objectiveOf = (config: Record<string, unknown> = {}, of: ImageSpec = image, options: ObjectiveOptions = {}): Objective =>
  createObjective(composeRun({ image: of, method: { plugin: mff, config: MffConfig.parse({ ...small, ...config }) } }), options);

const paramsOf = (objective: Objective): Params =>
  Object.fromEntries(Object.entries(objective.params()).map(([name, { shape, init }]) => [name, tf.tensor(init(shape, randomStream(name)), [...shape])]));

const planOf = (plan: TokenPlan): PlanTensors =>
  planTensors(Object.fromEntries(Object.entries(stackPlans([plan])).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], 'int32')])), plan.grid);

const pixels = tf.tensor4d(Float32Array.from({ length: 96 }, (_, i) => Math.sin(7 * i + 1)), [1, 6, 8, 2]);
const half: TokenPlan = { grid: { rows: 2, columns: 4 }, visible: Int32Array.of(6, 1, 3, 0), retained: Int32Array.of(2, 4, 5, 7), thrown: new Int32Array(0) };

/** Features of the encoder as plain numbers. */
function features(objective: Objective, params: Params, plan = half): Record<string, number[]> {
  const encoded = objective.encoder.encode(pixels, planOf(plan), params, { training: false, random: {} });
  return Object.fromEntries(Object.entries(encoded).map(([name, tensor]) => [name, [...tensor.dataSync()]]));
}
const largestGap = (a: number[] = [], b: number[] = []): number => Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))));

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend('cpu');
});

describe('the MFF plugin', () => {
  it('is the default export, and says which paper it implements', () => {
    expect(plugin).toBe(mff);
    expect([mff.kind, mff.name, mff.paper]).toEqual(['method', 'mff', 'arXiv:2308.00261']);
  });

  it('starts with equal shares, and shows them beside the parts of the loss', () => {
    const objective = objectiveOf();
    const params = paramsOf(objective);
    const { parts } = objective.evaluate({ images_BHWC: pixels, plan: planOf(half) }, params, true);
    expect(Object.keys(parts)).toEqual(['retained', 'fusion.0', 'fusion.1', 'fusion.2']);
    for (const level of [0, 1, 2]) expect(parts[`fusion.${level}`]?.dataSync()[0]).toBeCloseTo(1 / 3, 6);
  });

  it('shows shares that add up to one, whatever the weights', () => {
    const objective = objectiveOf();
    const shown = objective.encoder.watch?.({ proj_weights: tf.tensor([0, Math.log(2), Math.log(5)], [3, 1, 1, 1]) });
    expect(Object.values(shown ?? {}).map((share) => share.dataSync()[0])).toEqual([1 / 8, 2 / 8, 5 / 8].map((share) => expect.closeTo(share, 6)));
  });

  it('reads nothing but the last block where its share is everything', () => {
    const objective = objectiveOf();
    const { [LATENT]: fused, [PLAIN]: plain } = features(objective, { ...paramsOf(objective), proj_weights: tf.tensor([-50, -50, 50], [3, 1, 1, 1]) });
    expect(largestGap(fused, plain)).toBe(0);
    const mixed = features(objective, paramsOf(objective));
    expect(largestGap(mixed[LATENT], mixed[PLAIN])).toBeGreaterThan(0.01);
  });

  it('is MAE with a frozen weight when a single block is left', () => {
    const objective = objectiveOf({ fuseBlocks: [2] });
    const { [LATENT]: fused, [PLAIN]: plain } = features(objective, paramsOf(objective));
    expect(largestGap(fused, plain)).toBe(0);
    expect(objective.params()['proj_weights']).toMatchObject({ shape: [1, 1, 1, 1], trainable: false });
    expect(Object.keys(objective.params()).filter((name) => name.startsWith('proj_layers'))).toEqual([]);
  });

  it('encodes whole images for evaluation, unfused unless asked', () => {
    const objective = objectiveOf();
    const whole = features(objective, paramsOf(objective), fullPlan(objective.grid));
    expect(whole[PLAIN]).toHaveLength((1 + 8) * 8);
    expect([objective.encoder.output, objectiveOf({ evaluate: 'fused' }).encoder.output]).toEqual([PLAIN, LATENT]);
  });

  it('offers the class token attention of the last block', () => {
    const objective = objectiveOf();
    const attention = objective.encoder.classAttention?.(pixels, planOf(half), paramsOf(objective), { training: false, random: {} });
    expect(attention?.shape).toEqual([1, 2, 4]);
    expect(attention?.sum().dataSync()[0]).toBeLessThan(2);
  });

  it('starts the biases of the encoder’s MLPs near zero, those of the decoder at zero', () => {
    const specs = objectiveOf().params();
    const start = (name: string): number[] => [...(specs[name]?.init([16], randomStream(name)) ?? [])].map(Math.abs);
    expect(Math.max(...start('blocks.1.mlp.fc1.bias'))).toBeGreaterThan(1e-7);
    expect(Math.max(...start('blocks.1.mlp.fc1.bias'))).toBeLessThan(1e-5);
    expect(Math.max(...start('decoder_blocks.0.mlp.fc1.bias'))).toBe(0);
  });

  it('turns the position tables of MAE by exchanging their halves', () => {
    const table = (positions: string): Float32Array => {
      const spec = objectiveOf({ positions }).params()['pos_embed'];
      return spec?.init(spec.shape, randomStream('table')) as Float32Array;
    };
    const [theirs, ours] = [table('mmpretrain'), table('mae')];
    for (let row = 0; row < 9; row++) {
      expect([...theirs.subarray(row * 8, row * 8 + 4)]).toEqual([...ours.subarray(row * 8 + 4, row * 8 + 8)]);
      expect([...theirs.subarray(row * 8 + 4, row * 8 + 8)]).toEqual([...ours.subarray(row * 8, row * 8 + 4)]);
    }
  });
});

describe('what MFF costs', () => {
  const official: ImageSpec = { height: 224, width: 224, channels: 3 };
  const vitB = { ...MffConfig.parse({}), ...mff.paperCount };

  it('is the published cost of ViT-B/16 as papers count: MAE and five square maps', () => {
    const macs = totalMacs(objectiveOf(vitB, official, { predictTokens: 'sequence' }).macs());
    expect(macs).toBe(9_781_133_312 + 5 * 50 * 768 * 768);
    expect((macs / 1e9).toFixed(3)).toBe('9.929');
  });

  it('counts 114,860,806 parameters', () => {
    const specs = objectiveOf(vitB, official).params();
    expect(Object.values(specs).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(114_860_806);
  });
});
