import * as tf from '@tensorflow/tfjs';
import { ConfigError } from '@mimlab/core';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectValues, scattered } from '../../test-support/gradient-check.js';
import { attention } from './attention.js';
import { classAttention } from './class-attention.js';

onEveryBackend('the class token’s attention', () => {
  it('is the softmax of its scores with every token, itself left out', () => {
    // One head of width 1: the class token asks with 2, the keys are 0, 1 and -1.
    const qkv = tf.tensor2d([[2, 0, 9], [7, 1, 9], [7, -1, 9]]);
    const sum = 1 + Math.exp(2) + Math.exp(-2);
    expectValues(classAttention(qkv, { batch: 1, tokens: 3, heads: 1 }), [Math.exp(2) / sum, Math.exp(-2) / sum]);
  });

  it('is what attention weighs the values by', () => {
    const shape = { batch: 2, tokens: 4, heads: 2 };
    const qkv = scattered([8, 12]) as tf.Tensor2D;
    const rows = classAttention(qkv, shape);
    expect(rows.shape).toEqual([2, 2, 3]);
    // Values that are 1 at the token in question and 0 elsewhere make the output the probability itself.
    for (const token of [1, 2, 3]) {
      const values = tf.tensor2d(Float32Array.from({ length: 8 * 4 }, (_, i) => (Math.floor(i / 4) % 4 === token ? 1 : 0)), [8, 4]);
      const out = attention(tf.concat([tf.slice(qkv, [0, 0], [8, 8]), values], 1) as tf.Tensor2D, shape);
      const wanted = tf.slice(tf.reshape(out, [2, 4, 2, 2]), [0, 0, 0, 0], [2, 1, 2, 1]).dataSync();
      expectValues(tf.slice(rows, [0, 0, token - 1], [2, 2, 1]), wanted);
    }
  });

  it('takes the bias that attention takes', () => {
    const shape = { batch: 2, tokens: 3, heads: 1 };
    const qkv = scattered([6, 6]) as tf.Tensor2D;
    const bias = scattered([2, 1, 3, 3], 5) as tf.Tensor4D;
    const rows = classAttention(qkv, shape, bias);
    for (const token of [1, 2]) {
      const values = tf.tensor2d(Float32Array.from({ length: 6 * 2 }, (_, i) => (Math.floor(i / 2) % 3 === token ? 1 : 0)), [6, 2]);
      const out = attention(tf.concat([tf.slice(qkv, [0, 0], [6, 4]), values], 1) as tf.Tensor2D, shape, bias);
      expectValues(tf.slice(rows, [0, 0, token - 1], [2, 1, 1]), tf.slice(tf.reshape(out, [2, 3, 2]), [0, 0, 0], [2, 1, 1]).dataSync());
    }
  });

  it('refuses heads that do not divide the width', () => {
    expect(() => classAttention(scattered([2, 12]) as tf.Tensor2D, { batch: 1, tokens: 2, heads: 3 })).toThrow(ConfigError);
  });
});
