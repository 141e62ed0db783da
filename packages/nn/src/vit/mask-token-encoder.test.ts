import * as tf from '@tensorflow/tfjs';
import { CompositionError, fullPlan } from '@mimlab/core';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { context, paramsOf } from '../../test-support/objective.js';
import { planOf, tensorsOf } from '../../test-support/plans.js';
import { normal } from '../params/initializers.js';
import { LATENT } from './encoder.js';
import { maskTokenVit, TOKENS, type MaskTokenVitOptions } from './mask-token-encoder.js';

const options: MaskTokenVitOptions = {
  image: { height: 4, width: 6, channels: 2 },
  patch: { height: 2, width: 2 },
  width: 8,
  depth: 2,
  heads: 2,
  mlpRatio: 2,
  embedPatches: 'visible',
  prefix: 'encoder.',
  positions: 'relative',
  layerScale: { start: 0.5, on: ['attention', 'mlp'] },
  dropPath: 0,
  init: { weight: normal(0.2), last: () => normal(0.2) },
};
const grid = { rows: 2, columns: 3 };
const images = (): tf.Tensor4D => scattered([1, 4, 6, 2]) as tf.Tensor4D;
const encode = (changed: Partial<MaskTokenVitOptions> = {}, pixels = images(), plan = planOf(grid, [4, 1, 0, 2, 3, 5], 2, 4)) => {
  const encoder = maskTokenVit({ ...options, ...changed });
  return encoder.encode(pixels, tensorsOf([plan]), paramsOf(encoder.params()), context);
};

onEveryBackend('a ViT that works on mask tokens', () => {
  it.each(['relative', 'learned'] as const)('gives class token, visible and retained tokens, in known order (%s)', (positions) => {
    const features = encode({ positions });
    expect([features[TOKENS]?.shape, features[LATENT]?.shape]).toEqual([[1, 7, 8], [1, 7, 8]]);
    // Two retained tokens change places in the plan, and so they do in the features.
    const turned = encode({ positions }, images(), planOf(grid, [4, 1, 2, 0, 3, 5], 2, 4))[TOKENS] as tf.Tensor3D;
    expectValues(tf.gather(turned, [0, 1, 2, 4, 3, 5, 6], 1), (features[TOKENS] as tf.Tensor3D).dataSync(), 4);
  });

  it('never sees hidden pixels', () => {
    const changed = images().bufferSync();
    // Cell 0 is hidden.
    changed.set(99, 0, 0, 0, 0);
    expectValues(encode({}, changed.toTensor() as tf.Tensor4D)[TOKENS] as tf.Tensor, (encode()[TOKENS] as tf.Tensor).dataSync());
  });

  it.each(['relative', 'learned'] as const)('knows where its tokens stand (%s)', (positions) => {
    // The same pixels in every cell: only positions tell tokens apart.
    const flat = tf.ones([1, 4, 6, 2]) as tf.Tensor4D;
    const tokens = encode({ positions }, flat, fullPlan(grid))[TOKENS] as tf.Tensor3D;
    const gap = tf.max(tf.abs(tf.sub(tf.slice(tokens, [0, 1, 0], [1, 1, 8]), tf.slice(tokens, [0, 6, 0], [1, 1, 8])))).dataSync()[0];
    expect(gap).toBeGreaterThan(1e-4);
  });

  it('offers the class token’s attention to visible cells alone', () => {
    for (const positions of ['relative', 'learned'] as const) {
      const encoder = maskTokenVit({ ...options, positions });
      const attention = encoder.classAttention!(images(), tensorsOf([fullPlan(grid)]), paramsOf(encoder.params()), context);
      expect(attention.shape).toEqual([1, 2, 6]);
      for (const sum of tf.sum(attention, 2).dataSync()) expect(sum > 0 && sum < 1).toBe(true);
    }
  });

  it('sends gradients to mask token and positions', () => {
    const plan = tensorsOf([planOf(grid, [4, 1, 0, 2, 3, 5], 2, 2)]);
    for (const [positions, name] of [['relative', 'encoder.rel_pos_bias.relative_position_bias_table'], ['learned', 'encoder.pos_embed']] as const) {
      const encoder = maskTokenVit({ ...options, depth: 1, positions });
      const params = paramsOf(encoder.params());
      expectGradients(
        (token, places) => encoder.encode(images(), plan, { ...params, 'encoder.mask_token': token!, [name]: places! }, context)[TOKENS] as tf.Tensor,
        [params['encoder.mask_token']!, params[name]!],
      );
    }
  });

  it('refuses plans that give visible tokens a mask token besides', () => {
    const plan = tensorsOf([planOf(grid, [4, 1, 0, 2, 3, 5], 2, 4)]);
    const encoder = maskTokenVit(options);
    const repeating = { ...plan, counts: { ...plan.counts, repeats: true as const } };
    expect(() => encoder.encode(images(), repeating, paramsOf(encoder.params()), context)).toThrow(CompositionError);
  });
});
