import { cellsOf, composeRun, CompositionError, createObjective, planTensors, randomStream, stackPlans, totalMacs, type Objective, type ObjectiveBatch, type Params, type TokenPlan } from '@mimlab/core';
import { affine, attention, gelu, layerNorm, linear, relativePairs, scaleColumns } from '@mimlab/nn';
import { simmim, SimMimConfig, TOKENS } from '@mimlab/plugin-simmim';
import { prMim, PrMimConfig, type PrMimInput } from '@mimlab/pr-mim';
import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, it, test } from 'vitest';

const SEED = 5;
const vit = { patchSize: 2, maskUnit: 4, width: 8, depth: 2, heads: 2, mlpRatio: 2, dropPath: 0 };
const swin = { arch: 'swin', patchSize: 2, maskUnit: 4, width: 4, depth: [2, 1], heads: [1, 2], window: 2, mlpRatio: 2 };

function objectiveOf(config: Readonly<Record<string, unknown>>, wrap?: PrMimInput, side = 12, predictTokens?: 'sequence'): Objective {
  const composition = {
    image: { height: side, width: side, channels: 3 },
    method: { plugin: simmim, config: SimMimConfig.parse(config) },
    wrap: wrap === undefined ? [] : [{ plugin: prMim, config: PrMimConfig.parse(wrap) }],
  };
  return createObjective(composeRun(composition), predictTokens === undefined ? {} : { predictTokens });
}

function plansOf({ sampler, grid, image: { height, width } }: Objective, count = 2): TokenPlan[] {
  const crop = { top: 0, left: 0, height, width, sourceHeight: height, sourceWidth: width, flip: false };
  return Array.from({ length: count }, (_, sampleId) => {
    const streams = { mask: randomStream(SEED, 'mask', 0, sampleId), sample: randomStream(SEED, 'sample', 0, sampleId) };
    return sampler.sample({ grid, streams, sampleId, epoch: 0, crop });
  });
}

function batchOf({ image: { height, width, channels }, grid }: Objective, plans: readonly TokenPlan[]): ObjectiveBatch {
  const random = randomStream(SEED, 'pixels');
  const inputs = Object.entries(stackPlans(plans)).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], 'int32')] as const);
  const values = Float32Array.from({ length: plans.length * height * width * channels }, () => random.normal());
  return { images_BHWC: tf.tensor4d(values, [plans.length, height, width, channels]), plan: planTensors(Object.fromEntries(inputs), grid) };
}

const paramsOf = (objective: Objective): Params =>
  Object.fromEntries(
    Object.entries(objective.params()).map(([name, { init, shape }]) => {
      const random = randomStream(SEED, 'rough', name);
      return [name, tf.tensor(init(shape, randomStream(SEED, 'init', name)).map((value) => value + 0.3 * random.normal()), [...shape])];
    }),
  );

describe('costs of SimMIM ViT-B as papers count, G MACs an image', () => {
  test.each<[string, string, PrMimInput | undefined]>([
    ['full', '17.679', undefined],
    ['partial, half thrown', '8.763', { throw: 0.5, reconstruction: 'partial' }],
    ['progressive, half thrown', '8.828', { throw: 0.5 }],
    ['partial, 30 % thrown', '12.359', { throw: 0.3, reconstruction: 'partial' }],
    ['progressive, 30 % thrown', '12.401', { throw: 0.3 }],
    ['progressive, half of the masked tokens thrown', '12.221', { throw: 0.5, throwBase: 'masked' }],
  ])('%s: %s', (_name, expected, wrap) => {
    expect((totalMacs(objectiveOf({ ...simmim.paperCount }, wrap, 224, 'sequence').macs()) / 1e9).toFixed(3)).toBe(expected);
  });
});

/**
 * SimMIM's encoder at its full length, written out, in which nobody attends to thrown tokens. Tokens in the order visible,
 * retained, thrown, behind the class token.
 */
function maskedFullEncoder({ grid }: Objective, { images_BHWC }: ObjectiveBatch, plans: readonly TokenPlan[], params: Params, hide: boolean): Tensor3D {
  const { width, heads, depth, patchSize } = vit;
  const name = (rest: string): string => `encoder.${rest}`;
  const [batch, cells] = [plans.length, cellsOf(grid)];
  const tokens = 1 + cells;
  const [, height, , channels] = images_BHWC.shape;
  const cut = tf.transpose(tf.reshape(images_BHWC, [batch, height / patchSize, patchSize, grid.columns, patchSize * channels]), [0, 1, 3, 2, 4]);
  const patches = tf.reshape(linear(tf.reshape(cut, [batch * cells, -1]), params, name('patch_embed.proj')), [batch, cells, width]);
  const order = plans.map(({ visible, retained, thrown }) => [...visible, ...retained, ...thrown]);
  const seen = tf.tensor3d(plans.map(({ visible }) => order[0]!.map((_, place) => [place < visible.length ? 1 : 0])));
  const ordered = tf.stack(order.map((ids, b) => tf.gather(tf.squeeze(tf.slice(patches, [b, 0, 0], [1, cells, width]), [0]), ids)));
  const marked = tf.add(tf.mul(ordered, seen), tf.mul(tf.sub(1, seen), params[name('mask_token')] as Tensor));
  let x = tf.reshape(tf.concat([tf.add(tf.zeros([batch, 1, width]), params[name('cls_token')] as Tensor), marked], 1), [batch * tokens, width]) as Tensor2D;
  const full = tf.reshape(relativePairs(params[name('rel_pos_bias.relative_position_bias_table')] as Tensor2D, grid, true), [tokens, tokens, heads]);
  const thrown = plans[0]?.thrown.length ?? 0;
  const forbidden = tf.tensor4d(Array.from({ length: tokens }, (_, key) => (hide && key >= tokens - thrown ? -1e9 : 0)), [1, 1, 1, tokens]);
  const bias = tf.stack(
    order.map((ids) => {
      const places = [0, ...ids.map((cell) => cell + 1)];
      return tf.transpose(tf.gather(tf.gather(full, places, 0), places, 1), [2, 0, 1]);
    }),
  );
  const biased = tf.add(bias, forbidden) as Tensor4D;
  for (let i = 0; i < depth; i++) {
    const at = (rest: string): string => name(`blocks.${i}.${rest}`);
    const vector = (rest: string): Tensor1D => params[at(rest)] as Tensor1D;
    const qkvBias = tf.concat([vector('attn.q_bias'), tf.zeros([width]), vector('attn.v_bias')]) as Tensor1D;
    const qkv = affine(layerNorm(x, params, at('norm1')), params[at('attn.qkv.weight')] as Tensor2D, qkvBias);
    x = tf.add(x, scaleColumns(linear(attention(qkv, { batch, tokens, heads }, biased), params, at('attn.proj')), vector('gamma_1')));
    const hidden = gelu(linear(layerNorm(x, params, at('norm2')), params, at('mlp.fc1')));
    x = tf.add(x, scaleColumns(linear(hidden, params, at('mlp.fc2')), vector('gamma_2')));
  }
  return tf.reshape(x, [batch, tokens, width]);
}

const largest = (values: Tensor): number => tf.max(tf.abs(values)).dataSync()[0] as number;

describe('SimMIM wrapped by pr-mim', () => {
  it('gives each known token what a full-length encoder does in which nobody attends to thrown tokens', () => {
    const objective = objectiveOf(vit, { throw: 0.3, reconstruction: 'partial' });
    const params = paramsOf(objective);
    const plans = plansOf(objective);
    const batch = batchOf(objective, plans);
    const short = objective.encoder.encode(batch.images_BHWC, batch.plan, params, { training: false, random: {} })[TOKENS] as Tensor3D;
    const known = (all: Tensor3D): Tensor3D => tf.slice(all, [0, 0, 0], short.shape);
    expect(plans[0]?.thrown.length).toBe(10);
    expect(largest(tf.sub(known(maskedFullEncoder(objective, batch, plans, params, true)), short))).toBeLessThan(1e-4);
    // The comparison would notice if thrown tokens were attended to.
    expect(largest(tf.sub(known(maskedFullEncoder(objective, batch, plans, params, false)), short))).toBeGreaterThan(1e-2);
  });

  it('sees the same tokens as SimMIM alone, and throws whole mask units where asked to', () => {
    const alone = plansOf(objectiveOf(vit));
    for (const throwUnit of ['token', 'mask-unit'] as const) {
      const objective = objectiveOf(vit, { throw: 0.25, throwUnit });
      const plans = plansOf(objective);
      expect(plans.map(({ visible }) => [...visible])).toEqual(alone.map(({ visible }) => [...visible]));
      // 9 units of 4 tokens; ceil(0.6 * 9) = 6 hidden. A quarter of 36 tokens are 9, of 9 units 2.
      expect(objective.sampler.counts(objective.grid).thrown).toBe(throwUnit === 'token' ? 9 : 8);
      if (throwUnit === 'token') continue;
      for (const { thrown } of plans) {
        const units = new Set([...thrown].map((cell) => Math.floor(Math.floor(cell / 6) / 2) * 3 + Math.floor((cell % 6) / 2)));
        expect(units.size).toBe(2);
      }
    }
  });

  it('reconstructs thrown tokens before the final norm, or behind it', () => {
    const [before, after] = [objectiveOf(vit, { throw: 0.3 }), objectiveOf({ ...vit, aggregatePosition: 'after-norm' }, { throw: 0.3 })];
    const params = paramsOf(before);
    const batch = batchOf(before, plansOf(before));
    const outcomes = [before, after].map((objective) => objective.evaluate(batch, params, false));
    const shown = outcomes.map(({ predictions }) => predictions['pixels']?.values['patches'] as Tensor3D);
    const difference = tf.max(tf.abs(tf.sub(shown[0] as Tensor3D, shown[1] as Tensor3D)), 2).arraySync() as number[][];
    plansOf(before).forEach(({ visible, retained, thrown }, b) => {
      for (const cell of [...visible, ...retained]) expect(difference[b]?.[cell]).toBeLessThan(1e-4);
      for (const cell of thrown) expect(difference[b]?.[cell]).toBeGreaterThan(1e-4);
    });
    expect(Object.keys(outcomes[0]?.parts ?? {})).toEqual(expect.arrayContaining(['retained', 'thrown']));
  });

  it('may give thrown tokens a final norm of their own', () => {
    const names = Object.keys(objectiveOf(vit, { throw: 0.3, shareNorm: false }).params());
    expect(names.filter((name) => name.startsWith('prmim.'))).toEqual(expect.arrayContaining(['prmim.pixels.encoder.norm.weight', 'prmim.pixels.encoder.norm.bias']));
    expect(() => objectiveOf({ ...vit, aggregatePosition: 'after-norm' }, { throw: 0.3, shareNorm: false })).toThrow(CompositionError);
  });

  it.each(['progressive', 'partial'] as const)('is refused with Swin, %s, when the run is put together', (reconstruction) => {
    expect(() => objectiveOf(swin, { throw: 0.3, reconstruction }, 8)).toThrow(CompositionError);
    expect(() => objectiveOf(swin, { throw: 0.3, reconstruction }, 8)).toThrow(/branch 'pixels' gives tokens for the whole grid.*\n.*set throw: 0/);
    expect(() => objectiveOf(swin, { throw: 0, reconstruction }, 8)).not.toThrow();
  });
});
