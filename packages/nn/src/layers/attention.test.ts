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

  it('refuses heads that do not divide the width', () => {
    expect(() => attention(scattered([2, 12]) as tf.Tensor2D, { batch: 1, tokens: 2, heads: 3 })).toThrow(ConfigError);
  });
});
