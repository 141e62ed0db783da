import * as tf from '@tensorflow/tfjs';
import { ConfigError, fullPlan, totalMacs, type Encoder } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { context, paramsOf } from '../../test-support/objective.js';
import { planOf, tensorsOf } from '../../test-support/plans.js';
import { LATENT, vitEncoder, type VitEncoderOptions } from './encoder.js';

const options: VitEncoderOptions = {
  image: { height: 4, width: 6, channels: 2 },
  patch: { height: 2, width: 2 },
  width: 8,
  depth: 1,
  heads: 2,
  mlpRatio: 2,
  embedPatches: 'visible',
};
const grid = { rows: 2, columns: 3 };
const plans = [planOf(grid, [4, 1, 0, 2, 3, 5], 2, 4), planOf(grid, [3, 5, 4, 2, 1, 0], 2, 2)];
const encode = (encoder: Encoder, images: tf.Tensor4D, plan = tensorsOf([plans[0]!, planOf(grid, [3, 5, 4, 2, 1, 0], 2, 4)]), params = paramsOf(encoder.params())) =>
  encoder.encode(images, plan, params, context)[LATENT] as tf.Tensor3D;

onEveryBackend('the ViT encoder', () => {
  const images = (): tf.Tensor4D => scattered([2, 4, 6, 2]) as tf.Tensor4D;

  it('gives the class token and the visible tokens', () => {
    expect(encode(vitEncoder(options), images()).shape).toEqual([2, 3, 8]);
  });

  it('gives the same whether hidden patches are embedded or not', () => {
    const visible = encode(vitEncoder(options), images());
    expectValues(encode(vitEncoder({ ...options, embedPatches: 'all' }), images()), visible.dataSync());
  });

  it('keeps tokens in the order of the plan', () => {
    const encoder = vitEncoder(options);
    const there = encode(encoder, images(), tensorsOf([planOf(grid, [4, 1, 0, 2, 3, 5], 2, 4), planOf(grid, [4, 1, 0, 2, 3, 5], 2, 4)]));
    const back = encode(encoder, images(), tensorsOf([planOf(grid, [1, 4, 0, 2, 3, 5], 2, 4), planOf(grid, [1, 4, 0, 2, 3, 5], 2, 4)]));
    expectValues(tf.gather(back, [0, 2, 1], 1), there.dataSync(), 4);
  });

  it.each(['visible', 'all'] as const)('never lets hidden pixels reach the features (%s)', (embedPatches) => {
    const encoder = vitEncoder({ ...options, embedPatches });
    const before = encode(encoder, images());
    const after = images().bufferSync();
    // Cell 0 of the first image and cell 1 of the second are hidden.
    after.set(99, 0, 0, 0, 0);
    after.set(-99, 1, 1, 3, 1);
    expectValues(encode(encoder, after.toTensor() as tf.Tensor4D), before.dataSync());
  });

  it('sees every cell under a full plan', () => {
    expect(encode(vitEncoder(options), images(), tensorsOf([fullPlan(grid), fullPlan(grid)])).shape).toEqual([2, 7, 8]);
  });

  it('offers the class token’s attention in its last block, cell by cell in the order of the plan', () => {
    const encoder = vitEncoder({ ...options, depth: 2 });
    const params = paramsOf(encoder.params());
    const cells = [0, 1, 2, 3, 4, 5];
    const attend = (order: number[], changed = {}): tf.Tensor3D => encoder.classAttention!(tf.slice(images(), [0, 0, 0, 0], [1, 4, 6, 2]), tensorsOf([planOf(grid, order, 6, 0)]), { ...params, ...changed }, context);
    const raster = attend(cells);
    expect(raster.shape).toEqual([1, 2, 6]);
    const sums = tf.sum(raster, 2).dataSync();
    for (const sum of sums) expect(sum > 0 && sum < 1).toBe(true);
    expectValues(tf.gather(attend([5, 4, 3, 2, 1, 0]), [5, 4, 3, 2, 1, 0], 2), raster.dataSync());
    const heads = tf.abs(tf.sub(attend(cells, { 'blocks.1.attn.qkv.weight': tf.mul(params['blocks.1.attn.qkv.weight']!, 2) }), raster));
    expect(tf.max(heads).dataSync()[0]).toBeGreaterThan(1e-4);
    // Nothing behind the last attention matters.
    expectValues(attend(cells, { 'blocks.1.mlp.fc2.weight': tf.zerosLike(params['blocks.1.mlp.fc2.weight']!), 'blocks.1.attn.proj.weight': tf.zerosLike(params['blocks.1.attn.proj.weight']!) }), raster.dataSync());
  });

  it.each(['visible', 'all'] as const)('sends gradients to patch embedding, class token and pixels (%s)', (embedPatches) => {
    const encoder = vitEncoder({ ...options, embedPatches });
    const params = paramsOf(encoder.params());
    const plan = tensorsOf(plans.slice(1));
    expectGradients(
      (bias, token) => encode(encoder, tf.slice(images(), [0, 0, 0, 0], [1, 4, 6, 2]), plan, { ...params, 'patch_embed.proj.bias': bias!, cls_token: token! }),
      [params['patch_embed.proj.bias']!, scattered([1, 1, 8])],
    );
    expectGradients((pixels) => encode(encoder, pixels as tf.Tensor4D, plan, params), [tf.slice(images(), [0, 0, 0, 0], [1, 4, 6, 2])]);
  });
});

describe('the cost of the ViT encoder', () => {
  const base: VitEncoderOptions = { ...options, image: { height: 224, width: 224, channels: 3 }, patch: { height: 16, width: 16 }, width: 768, depth: 12, heads: 12, mlpRatio: 4, embedPatches: 'all' };
  const counts = { visible: 49, retained: 147, thrown: 0 };

  it('is that of the official ViT-B/16 with all patches embedded', () => {
    expect(totalMacs(vitEncoder(base).macs(counts))).toBe(4_408_418_304);
  });

  it('falls by the hidden patches when only visible ones are embedded', () => {
    expect(vitEncoder({ ...base, embedPatches: 'visible' }).macs(counts)).toEqual({ ...vitEncoder(base).macs(counts), patch: 49 * 768 * 768 });
  });
});

describe('a ViT encoder that cannot be', () => {
  it('is refused when the patch does not divide the image', () => {
    expect(() => vitEncoder({ ...options, patch: { height: 3, width: 2 } })).toThrow(/patchSize: an image of height 4/);
  });

  it('is refused when the heads do not divide the width', () => {
    expect(() => vitEncoder({ ...options, heads: 3 })).toThrow(ConfigError);
  });
});
