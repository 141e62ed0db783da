import { composeRun, createObjective, fullPlan, planTensors, randomStream, stackPlans, type Encoder, type EncoderTrunk, type HostTensor, type MethodPlugin, type ParamSpecs } from '@mimlab/core';
import { createEagerEngine, type Engine } from '@mimlab/engine';
import { createClassifier, trunkOf } from '@mimlab/evaluate';
import { greenmim } from '@mimlab/plugin-greenmim';
import { localMim } from '@mimlab/plugin-localmim';
import { mae } from '@mimlab/plugin-mae';
import { mff } from '@mimlab/plugin-mff';
import { simmim } from '@mimlab/plugin-simmim';
import { tec } from '@mimlab/plugin-tec';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gapBetween } from './parity/closeness.js';

const VIT = { patchSize: 4, width: 16, depth: 2, heads: 2 };
const DECODER = { decoderWidth: 8, decoderDepth: 1, decoderHeads: 2 };
const SWIN = { patchSize: 2, width: 8, window: 4 };

interface Case {
  readonly name: string;
  readonly plugin: MethodPlugin;
  readonly settings: Readonly<Record<string, unknown>>;
  /** The encoder's feature that the trunk must reproduce. */
  readonly feature: string;
}

const cases: readonly Case[] = [
  { name: 'mae', plugin: mae, settings: { ...VIT, ...DECODER }, feature: 'latent' },
  { name: 'mff', plugin: mff, settings: { ...VIT, ...DECODER }, feature: 'plain' },
  { name: 'tec', plugin: tec, settings: { ...VIT, ...DECODER, adapterBlocks: 1, teacher: { checkpoint: null, width: 8, depth: 2, heads: 2 } }, feature: 'latent' },
  { name: 'localmim vit', plugin: localMim, settings: { ...VIT, taps: [1, 2], scales: [1, 1] }, feature: 'latent' },
  { name: 'simmim vit', plugin: simmim, settings: { ...VIT, maskUnit: 8 }, feature: 'latent' },
  { name: 'simmim swin', plugin: simmim, settings: { arch: 'swin', ...SWIN, depth: [2, 2], heads: [2, 4], maskUnit: 8 }, feature: 'latent' },
  { name: 'greenmim', plugin: greenmim, settings: { ...SWIN, depths: [2, 2], heads: [2, 4], ...DECODER }, feature: 'latent' },
] as readonly Case[];

const image = { height: 16, width: 16, channels: 3 };
const random = (shape: readonly number[], name: string): HostTensor => {
  const stream = randomStream('trunks', name);
  return { shape, dtype: 'float32', data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => stream.normal() * 0.2) };
};

function trunkOfEncoder({ trunk }: Encoder): EncoderTrunk {
  if (trunk === undefined) throw new Error('the encoder has no trunk');
  return trunk;
}

let engine: Engine;
beforeAll(async () => {
  engine = await createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' });
});
afterAll(() => {
  engine.dispose();
});

describe.each(cases)('the trunk of $name', ({ plugin, settings, feature }) => {
  let encoder: Encoder;
  let specs: ParamSpecs;
  beforeAll(() => {
    encoder = createObjective(composeRun({ image, method: { plugin, config: plugin.configSchema.parse(settings) } })).encoder;
    specs = encoder.params();
  });

  it('gives the features of the encoder on whole images', async () => {
    const { architecture, params } = trunkOfEncoder(encoder);
    const trunk = trunkOf(architecture, image);
    const values = Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => [name, random(shape, name)]));
    const step = engine.compile({
      name: 'both',
      state: [],
      compute(_, { images, ...rest }) {
        const state = rest as Record<string, Tensor>;
        const expected = encoder.encode(images as Tensor4D, planTensors(rest, encoder.grid), state, { training: false, random: {} })[feature] as Tensor3D;
        const own = params(state);
        const tokens = trunk.tokens(images as Tensor4D, own);
        const [batch, count, width] = tokens.shape;
        return { outputs: { expected, actual: tf.reshape(trunk.norm(tf.reshape(tokens, [batch * count, width]) as Tensor2D, own), [batch, count, width]) } };
      },
    });
    const plans = stackPlans([fullPlan(encoder.grid), fullPlan(encoder.grid)], { shared: false });
    const { outputs } = await step.run({ images: random([2, 16, 16, 3], 'images'), ...plans, ...values }, { outputs: ['expected', 'actual'] });
    const { expected, actual } = outputs as Record<'expected' | 'actual', HostTensor>;
    expect(actual.shape).toEqual(expected.shape);
    // Swins pre-train with another epsilon in their norms than they are fine-tuned with.
    expect(gapBetween(actual.data, expected.data).relative).toBeLessThan(architecture.kind === 'swin' ? 1e-3 : 1e-5);
  });

  it('has everything that a classifier on it needs but norm and head', () => {
    const { architecture, params } = trunkOfEncoder(encoder);
    const given = tf.tidy(() => Object.keys(params(Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => [name, tf.zeros([...shape])])))));
    const needed = Object.keys(createClassifier({ architecture, image, classes: 3, pool: 'mean' }).params());
    expect(needed.filter((name) => !given.includes(name)).sort()).toEqual(architecture.kind === 'swin' ? ['head.bias', 'head.weight'] : ['fc_norm.bias', 'fc_norm.weight', 'head.bias', 'head.weight']);
  });
});
