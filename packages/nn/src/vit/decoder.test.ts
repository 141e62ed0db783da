import * as tf from '@tensorflow/tfjs';
import { CompositionError, totalMacs, type BranchTarget, type Decoder, type Encoder, type TokenSet } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { context, paramsOf } from '../../test-support/objective.js';
import { planOf, tensorsOf } from '../../test-support/plans.js';
import { vitDecoder, type VitDecoderOptions } from './decoder.js';

const grid = { rows: 2, columns: 3 };
const encoderWith = (feature: Partial<Encoder['features'][string]> = {}): Encoder => ({
  grid,
  features: { latent: { width: 8, cells: 'visible', cls: true, ...feature } },
  output: 'latent',
  params: () => ({}),
  encode: () => ({}),
  macs: () => ({}),
});
const asked: BranchTarget = { values: 5, scale: 1, loss: 'mse' };
const options: VitDecoderOptions = {
  encoder: encoderWith(),
  feature: 'latent',
  branch: 'pixels',
  values: 'patches',
  targets: { pixels: asked },
  width: 4,
  depth: 1,
  heads: 2,
  mlpRatio: 2,
};
const decode = (decoder: Decoder, latent: tf.Tensor, plan: ReturnType<typeof tensorsOf>, params = paramsOf(decoder.params())): TokenSet =>
  decoder.decode({ latent }, plan, params, context)['pixels'] as TokenSet;

onEveryBackend('the ViT decoder', () => {
  const decoder = vitDecoder(options);
  const full = planOf(grid, [4, 1, 0, 2, 3, 5], 2, 4);

  it('gives visible and retained tokens in known order, and the class token apart', () => {
    const set = decode(decoder, scattered([2, 3, 8]), tensorsOf([full, full]));
    expect([set.tokens_BSd.shape, set.cls_B1d?.shape, set.cells]).toEqual([[2, 6, 4], [2, 1, 4], 'known']);
  });

  it('works on fewer tokens when some are thrown', () => {
    const set = decode(decoder, scattered([1, 3, 8]), tensorsOf([planOf(grid, [4, 1, 0, 2, 3, 5], 2, 1)]));
    expect(set.tokens_BSd.shape).toEqual([1, 3, 4]);
  });

  it('works without any hidden token', () => {
    const set = decode(decoder, scattered([1, 7, 8]), tensorsOf([planOf(grid, [0, 1, 2, 3, 4, 5], 6, 0)]));
    expect(set.tokens_BSd.shape).toEqual([1, 6, 4]);
  });

  it('tells hidden tokens apart by the position of their cell alone', () => {
    const latent = scattered([1, 3, 8]);
    const one = decode(decoder, latent, tensorsOf([planOf(grid, [4, 1, 0, 2, 3, 5], 2, 4)])).tokens_BSd;
    const other = decode(decoder, latent, tensorsOf([planOf(grid, [4, 1, 5, 3, 2, 0], 2, 4)])).tokens_BSd;
    expectValues(tf.gather(other, [0, 1, 5, 4, 3, 2], 1), one.dataSync(), 4);
  });

  it('predicts token by token, with or without the class token, which it drops', () => {
    const params = paramsOf(decoder.params());
    const plan = tensorsOf([full]);
    const set = decode(decoder, scattered([1, 3, 8]), plan, params);
    const withClass = decoder.predict('pixels', set, plan, params, context);
    const bare = decoder.predict('pixels', { tokens_BSd: set.tokens_BSd, cells: 'known' }, plan, params, context);
    expect(withClass.values['patches']?.shape).toEqual([1, 6, 5]);
    expectValues(bare.values['patches']!, withClass.values['patches']!.dataSync());
    const last = { tokens_BSd: tf.slice(set.tokens_BSd, [0, 5, 0], [1, 1, 4]) as tf.Tensor3D, cells: 'retained' as const };
    const single = decoder.predict('pixels', last, plan, params, context);
    expect(single.cells).toBe('retained');
    expectValues(single.values['patches']!, bare.values['patches']!.dataSync().slice(25));
  });

  it('sends gradients to latent and mask token', () => {
    const params = paramsOf(decoder.params());
    const plan = tensorsOf([planOf(grid, [4, 1, 0, 2, 3, 5], 2, 3)]);
    expectGradients(
      (latent, mask) => decode(decoder, latent!, plan, { ...params, mask_token: mask! }).tokens_BSd,
      [scattered([1, 3, 8]), params['mask_token']!],
    );
  });

  it('does without a class token where the encoder has none', () => {
    const bare = vitDecoder({ ...options, encoder: encoderWith({ cls: false }) });
    const set = decode(bare, scattered([1, 2, 8]), tensorsOf([full]));
    expect(set.tokens_BSd.shape).toEqual([1, 6, 4]);
    expect(set.cls_B1d).toBeUndefined();
    expect(bare.branches[0]?.cls).toBe(false);
    expect(bare.params()['decoder_pos_embed']?.shape).toEqual([1, 6, 4]);
  });

  it('shows wrappers its mask token and the positions of the grid', () => {
    const params = paramsOf(decoder.params());
    const [branch] = decoder.branches;
    expectValues(branch!.maskToken!(params), params['mask_token']!.dataSync());
    expectValues(branch!.positions_Nd!(params), params['decoder_pos_embed']!.dataSync().slice(4));
  });
});

describe('what the decoder declares', () => {
  it('names norm and head, which are parameters of its own', () => {
    const decoder = vitDecoder(options);
    const [branch] = decoder.branches;
    for (const name of [...branch!.normParams, ...branch!.headParams]) expect(decoder.params()).toHaveProperty([name]);
  });

  it('costs what the official decoder of ViT-B/16 costs', () => {
    const encoder: Encoder = { ...encoderWith({ width: 768 }), grid: { rows: 14, columns: 14 } };
    const decoder = vitDecoder({ ...options, encoder, targets: { pixels: { ...asked, values: 768 } }, width: 512, depth: 8, heads: 16, mlpRatio: 4 });
    const parts = { ...decoder.decodeMacs({ visible: 49, retained: 147, thrown: 0 }), ...decoder.predictMacs('pixels', 197) };
    expect(Object.keys(parts)).toEqual(['decoderEmbed', 'decoder', 'head']);
    expect(totalMacs(parts)).toBe(5_372_715_008);
  });

  it('refuses an encoder without the feature it reads', () => {
    expect(() => vitDecoder({ ...options, encoder: encoderWith({ cells: 'grid' }) })).toThrow(CompositionError);
    expect(() => vitDecoder({ ...options, feature: 'other' })).toThrow(/feature 'other' of visible tokens, the encoder offers latent \(visible\)/);
  });

  it('takes the name of the one branch that a target cannot do without, and its name for the values', () => {
    const decoder = vitDecoder({ ...options, targets: { fine: { ...asked, scale: 4, optional: true }, hog: { ...asked, values: 3, output: 'bins' } } });
    expect(decoder.branches.map(({ name }) => name)).toEqual(['hog']);
    const set: TokenSet = { tokens_BSd: tf.ones([1, 2, 4]), cells: 'retained' };
    const { values } = decoder.predict('hog', set, tensorsOf([planOf(grid, [4, 1, 0, 2, 3, 5], 4, 2)]), paramsOf(decoder.params()), context);
    expect(Object.entries(values).map(([name, { shape }]) => [name, shape])).toEqual([['bins', [1, 2, 3]]]);
  });

  it('refuses a target that needs several branches, none, or another scale', () => {
    expect(() => vitDecoder({ ...options, targets: { hog: asked, edges: asked } })).toThrow(/asks for branches \[hog, edges\], the decoder offers \[pixels\]/);
    expect(() => vitDecoder({ ...options, targets: { pixels: asked, edges: asked } })).toThrow(/asks for branches \[pixels, edges\]/);
    expect(() => vitDecoder({ ...options, targets: { hog: { ...asked, optional: true } } })).toThrow(/asks for branches \[hog\]/);
    expect(() => vitDecoder({ ...options, targets: { pixels: { ...asked, scale: 2 } } })).toThrow(/scale 2/);
  });
});
