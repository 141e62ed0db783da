import * as tf from '@tensorflow/tfjs';
import { ConfigError } from '@mimlab/core';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { attentionOf, toMatrix } from '../../test-support/reference.js';
import { attention } from './attention.js';

onEveryBackend('attention', () => {
  it.each([1, 2, 4])('equals softmax attention written out, image by image, with %d heads', (heads) => {
    const qkv = scattered([2 * 3, 3 * 4]) as tf.Tensor2D;
    const rows = toMatrix(qkv.dataSync(), 12);
    const expected = [...attentionOf(rows.slice(0, 3), heads), ...attentionOf(rows.slice(3), heads)].flat();
    expectValues(attention(qkv, { batch: 2, tokens: 3, heads }), expected);
  });

  it('does not change when a constant is added to all keys', () => {
    const shape = { batch: 1, tokens: 4, heads: 2 };
    const qkv = scattered([4, 12]) as tf.Tensor2D;
    const shifted = tf.add(qkv, tf.tensor1d([0, 0, 0, 0, 3, -2, 1, 5, 0, 0, 0, 0])) as tf.Tensor2D;
    expectValues(attention(shifted, shape), attention(qkv, shape).dataSync());
  });

  it('has the gradient of queries, keys and values', () => {
    expectGradients((qkv) => attention(qkv as tf.Tensor2D, { batch: 2, tokens: 3, heads: 2 }), [scattered([6, 12])]);
  });

  it.each([1, 2, 4])('adds a bias to the scores, that of group s %% %d for sequence s', (groups) => {
    const [batch, tokens, heads] = [4, 3, 2];
    const qkv = scattered([batch * tokens, 12]) as tf.Tensor2D;
    const bias = scattered([groups, heads, tokens, tokens], 5) as tf.Tensor4D;
    const out = attention(qkv, { batch, tokens, heads }, bias);
    // Written out in tfjs' own operations, sequence by sequence.
    const third = (s: number, part: number): tf.Tensor3D =>
      tf.transpose(tf.reshape(tf.slice(qkv, [s * tokens, part * 4], [tokens, 4]), [tokens, heads, 2]), [1, 0, 2]);
    for (let s = 0; s < batch; s++) {
      const scores = tf.add(tf.div(tf.matMul(third(s, 0), third(s, 1), false, true), Math.SQRT2), tf.squeeze(tf.slice(bias, [s % groups, 0, 0, 0], [1, heads, tokens, tokens]), [0]));
      const expected = tf.reshape(tf.transpose(tf.matMul(tf.softmax(scores), third(s, 2)), [1, 0, 2]), [tokens, 4]);
      expectValues(tf.slice(out, [s * tokens, 0], [tokens, 4]), expected.dataSync());
    }
  });

  it.each([1, 2])('has the gradient of a bias that %d groups share', (groups) => {
    expectGradients((qkv, bias) => attention(qkv as tf.Tensor2D, { batch: 2, tokens: 2, heads: 2 }, bias as tf.Tensor4D), [scattered([4, 12]), scattered([groups, 2, 2, 2], 5)]);
  });

  it('refuses heads that do not divide the width', () => {
    expect(() => attention(scattered([2, 12]) as tf.Tensor2D, { batch: 1, tokens: 2, heads: 3 })).toThrow(ConfigError);
  });
});
