import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { paramsOf } from '../../test-support/objective.js';
import { swinBlock, swinBlockParams } from './block.js';

const specs = swinBlockParams('b', { width: 4, heads: 2, mlpRatio: 2, window: 3 });

onEveryBackend('a Swin block', () => {
  it('has a table for its window beside the parameters of a ViT block', () => {
    expect(specs['b.attn.relative_position_bias_table']?.shape).toEqual([25, 2]);
    expect(Object.keys(specs)).toContain('b.attn.qkv.bias');
  });

  it('attends to the normed tokens, as the caller says', () => {
    const x = scattered([3, 4]) as tf.Tensor2D;
    const flat = { ...paramsOf(specs), 'b.mlp.fc2.weight': tf.zeros([8, 4]), 'b.mlp.fc2.bias': tf.zeros([4]), 'b.norm1.weight': tf.zeros([4]), 'b.norm1.bias': tf.tensor1d([1, 2, 3, 4]) };
    const out = swinBlock(x, flat, 'b', (normed) => tf.mul(normed, 10));
    expectValues(tf.sub(out, x), [10, 20, 30, 40, 10, 20, 30, 40, 10, 20, 30, 40], 4);
  });

  it('is the identity where both branches are dropped', () => {
    const x = scattered([3, 4]) as tf.Tensor2D;
    expectValues(swinBlock(x, paramsOf(specs), 'b', (normed) => normed, (branch) => tf.zerosLike(branch)), x.dataSync());
  });

  it('has its gradients', () => {
    const params = paramsOf(specs);
    expectGradients((x, bias) => swinBlock(x as tf.Tensor2D, { ...params, 'b.mlp.fc1.bias': bias! }, 'b', (normed) => normed), [scattered([3, 4]), params['b.mlp.fc1.bias']!]);
  });
});
