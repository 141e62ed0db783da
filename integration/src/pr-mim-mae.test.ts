import { cellsOf, composeRun, createObjective, totalMacs, type ObjectiveBatch, type Params, type TokenPlan } from '@mimlab/core';
import { layerNorm, linear, PATCHES, PIXELS } from '@mimlab/nn';
import { mae, MaeConfig } from '@mimlab/plugin-mae';
import { prMim, PrMimConfig, type PrMimInput } from '@mimlab/pr-mim';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { batchOf, gradientGap, largest, learn, MAE, maeSetting, type MaeSetting } from './pr-mim-mae-run.js';

const predicted = ({ objective, batch, params }: MaeSetting): number[][][] =>
  (objective.evaluate(batch, params, false).predictions[PIXELS]?.values[PATCHES] as Tensor3D).arraySync();
const DECODER = ['mask_token', 'decoder_embed.weight', 'decoder_blocks.0.attn.qkv.weight', 'decoder_blocks.1.mlp.fc2.weight'];
const ENCODER = ['cls_token', 'patch_embed.proj.weight', 'blocks.0.attn.proj.weight', 'blocks.1.mlp.fc1.weight', 'norm.weight'];

describe('γ = 0', () => {
  const reference = learn(maeSetting());
  test.each<[string, PrMimInput]>([
    ['progressive, furthest', { throw: 0 }],
    ['progressive, random', { throw: 0, sampling: 'random' }],
    ['partial', { throw: 0, reconstruction: 'partial' }],
    ['subset', { throw: 0, reconstruction: 'subset' }],
  ])('%s: loss and gradients of MAE to the last bit', (_name, wrap) => {
    const wrapped = learn(maeSetting(wrap));
    expect(wrapped.loss).toBe(reference.loss);
    expect(wrapped.gradients).toEqual(reference.gradients);
  });
});

/**
 * MAE's decoder at its full length, written out, in which nobody attends to thrown tokens. Tokens in the order visible,
 * retained, thrown, behind the class token.
 */
function maskedFullDecoder(latent: Tensor3D, plans: readonly TokenPlan[], cells: number, params: Params): Tensor3D {
  const { decoderWidth: width, decoderHeads: heads, decoderDepth: depth } = MAE;
  const [batch, seen] = latent.shape;
  const embedded = tf.reshape(linear(tf.reshape(latent, [batch * seen, MAE.width]), params, 'decoder_embed'), [batch, seen, width]) as Tensor3D;
  const hidden = tf.mul(tf.ones([batch, cells + 1 - seen, 1]), tf.reshape(params['mask_token'] as Tensor, [1, 1, width]));
  const order = plans.map(({ visible, retained, thrown }) => [0, ...[...visible, ...retained, ...thrown].map((cell) => cell + 1)]);
  const table = tf.reshape(params['decoder_pos_embed'] as Tensor, [cells + 1, width]);
  let x = tf.add(tf.concat([embedded, hidden], 1), tf.gather(table, tf.tensor2d(order, undefined, 'int32'))) as Tensor3D;
  const length = cells + 1;
  const thrown = plans[0]?.thrown.length ?? 0;
  const forbidden = tf.tensor(Array.from({ length }, (_, key) => (key >= length - thrown ? -1e9 : 0)), [1, 1, 1, length]);
  const rows = (tokens: Tensor3D): Tensor2D => tf.reshape(tokens, [batch * length, -1]);
  for (let block = 0; block < depth; block++) {
    const prefix = `decoder_blocks.${block}`;
    const qkv = tf.reshape(linear(layerNorm(rows(x), params, `${prefix}.norm1`), params, `${prefix}.attn.qkv`), [batch, length, 3, heads, width / heads]);
    const [q, k, v] = tf.unstack(tf.transpose(qkv, [2, 0, 3, 1, 4])) as [Tensor, Tensor, Tensor];
    const scores = tf.add(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(width / heads)), forbidden);
    const mixed = tf.reshape(tf.transpose(tf.matMul(tf.softmax(scores), v), [0, 2, 1, 3]), [batch * length, width]) as Tensor2D;
    x = tf.add(x, tf.reshape(linear(mixed, params, `${prefix}.attn.proj`), x.shape));
    const inner = linear(layerNorm(rows(x), params, `${prefix}.norm2`), params, `${prefix}.mlp.fc1`);
    const activated = tf.mul(inner, tf.mul(0.5, tf.add(1, tf.erf(tf.mul(inner, Math.SQRT1_2))))) as Tensor2D;
    x = tf.add(x, tf.reshape(linear(activated, params, `${prefix}.mlp.fc2`), x.shape));
  }
  return x;
}

test('the short decoder gives each token what a full-length one does in which nobody attends to thrown tokens', () => {
  const { objective, plans, batch, params } = maeSetting({ throw: 0.5, reconstruction: 'partial' });
  const context = { training: false, random: {} };
  const features = objective.encoder.encode(batch.images_BHWC, batch.plan, params, context);
  const short = objective.decoder.decode(features, batch.plan, params, context)[PIXELS];
  const full = maskedFullDecoder(features['latent'] as Tensor3D, plans, cellsOf(objective.grid), params);
  const { visible, retained } = batch.plan.counts;
  const known = tf.slice(full, [0, 1, 0], [plans.length, visible + retained, MAE.decoderWidth]);
  expect(largest(tf.sub(known, short?.tokens_BSd as Tensor).dataSync())).toBeLessThan(1e-4);
  const cls = tf.slice(full, [0, 0, 0], [plans.length, 1, MAE.decoderWidth]);
  expect(largest(tf.sub(cls, short?.cls_B1d as Tensor).dataSync())).toBeLessThan(1e-4);
  // The comparison would notice if thrown tokens were attended to.
  const unmasked = maskedFullDecoder(features['latent'] as Tensor3D, plans.map((plan) => ({ ...plan, retained: Int32Array.of(...plan.retained, ...plan.thrown), thrown: new Int32Array(0) })), cellsOf(objective.grid), params);
  expect(largest(tf.sub(tf.slice(unmasked, [0, 1, 0], known.shape), known).dataSync())).toBeGreaterThan(1e-2);
});

test('a kernel that is 1 at its centre, with replace-all: retained tokens unchanged, thrown ones the head of the norm’s shift', () => {
  const bare = maeSetting({ throw: 0.5, merge: 'replace-all', aggregator: { kernel: 3, bias: false } });
  const kernel = tf.buffer([3, 3, MAE.decoderWidth, 1]);
  for (let channel = 0; channel < MAE.decoderWidth; channel++) kernel.set(1, 1, 1, channel, 0);
  const identity = predicted({ ...bare, params: { ...bare.params, 'prmim.pixels.conv.weight': kernel.toTensor() } });
  const partial = predicted(maeSetting({ throw: 0.5, reconstruction: 'partial' }));
  const shift = tf.reshape(bare.params['decoder_norm.bias'] as Tensor, [1, MAE.decoderWidth]) as Tensor2D;
  const constant = Array.from(linear(shift, bare.params, 'decoder_pred').dataSync());
  bare.plans.forEach(({ retained, thrown }, b) => {
    retained.forEach((cell, place) => (identity[b]?.[cell] as number[]).forEach((value, p) => expect(value).toBeCloseTo(partial[b]?.[place]?.[p] as number, 4)));
    for (const cell of thrown) (identity[b]?.[cell] as number[]).forEach((value, p) => expect(value).toBeCloseTo(constant[p] as number, 4));
  });
});

describe('gradients', () => {
  test('losses of thrown tokens alone reach decoder, encoder and convolution', () => {
    const { gradients } = learn(maeSetting({ throw: 0.5, lossWeights: { retained: 0 } }));
    for (const name of [...DECODER, ...ENCODER, 'prmim.pixels.conv.weight', 'prmim.pixels.conv.bias']) {
      expect([name, largest(gradients[name] as Float32Array) > 1e-7]).toEqual([name, true]);
    }
  });
  test('thrown-only: without losses of thrown tokens the convolution learns nothing, all else does', () => {
    const { gradients } = learn(maeSetting({ throw: 0.5, lossWeights: { thrown: 0 } }));
    expect(largest(gradients['prmim.pixels.conv.weight'] as Float32Array)).toBe(0);
    expect(largest(gradients['prmim.pixels.conv.bias'] as Float32Array)).toBe(0);
    for (const name of [...DECODER, ...ENCODER]) expect(largest(gradients[name] as Float32Array)).toBeGreaterThan(1e-7);
  });
  test('thrown-only without losses of thrown tokens is partial reconstruction', () => {
    const [one, other] = [learn(maeSetting({ throw: 0.5, reconstruction: 'partial' })), learn(maeSetting({ throw: 0.5, lossWeights: { thrown: 0 } }))];
    expect(other.loss).toBeCloseTo(one.loss, 5);
    expect(gradientGap(one, other)).toBeLessThan(1e-5);
  });
});

test('permuting the retained tokens changes nothing but the order of summation', () => {
  for (const wrap of [{ throw: 0.4 }, { throw: 0.4, reconstruction: 'partial' }] as const) {
    const made = maeSetting(wrap);
    const turned: ObjectiveBatch = batchOf(made.objective, made.plans.map((plan) => ({ ...plan, retained: plan.retained.slice().reverse() })));
    const [one, other] = [learn(made), learn({ ...made, batch: turned })];
    expect(other.loss).toBeCloseTo(one.loss, 5);
    expect(gradientGap(one, other)).toBeLessThan(1e-4);
  }
});

test('masks are the same whichever way retained tokens are picked, or none', () => {
  const visible = (wrap?: PrMimInput): number[][] => maeSetting(wrap).plans.map((plan) => [...plan.visible]);
  for (const wrap of [{ sampling: 'random' }, { anchors: 'masked+visible' }, { reconstruction: 'subset' }] as const) expect(visible(wrap)).toEqual(visible());
});

describe('cost of ViT-B/16 at 224, put together from the hooks', () => {
  const total = (wrap?: PrMimInput, predictTokens: 'retained' | 'sequence' = 'sequence'): number => {
    const wrappers = wrap === undefined ? [] : [{ plugin: prMim, config: PrMimConfig.parse(wrap) }];
    const config = MaeConfig.parse({ embedPatches: 'all' });
    const image = { height: 224, width: 224, channels: 3 };
    return totalMacs(createObjective(composeRun({ image, method: { plugin: mae, config }, wrap: wrappers }), { predictTokens }).macs()) / 1e9;
  };
  test.each<[string, PrMimInput | undefined, string]>([
    ['full', undefined, '9.781'],
    ['partial, a quarter thrown', { throw: 0.25, reconstruction: 'partial' }, '8.390'],
    ['progressive, a quarter thrown', { throw: 0.25 }, '8.414'],
    ['partial, half thrown', { throw: 0.5, reconstruction: 'partial' }, '7.039'],
    ['progressive, half thrown', { throw: 0.5 }, '7.082'],
    ['progressive, 65 % thrown', { throw: 0.65 }, '6.312'],
    ['transformer aggregation', { throw: 0.5, aggregator: { kind: 'transformer' } }, '7.733'],
    ['ConvNeXt aggregation', { throw: 0.5, aggregator: { kind: 'convnext' } }, '7.493'],
  ])('%s', (_name, wrap, published) => expect(total(wrap).toFixed(3)).toBe(published));
  test('predicting retained tokens only saves a little of the head', () => {
    expect(total({ throw: 0.5, reconstruction: 'partial' }, 'retained')).toBeCloseTo(7.0387 - (50 * 512 * 768) / 1e9, 3);
  });
});
