import * as tf from '@tensorflow/tfjs';
import { randomStream, type ParamSpecs, type Params } from '@mimlab/core';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { affine, attentionOf, geluOf, layerNormOf, plus, toMatrix } from '../../test-support/reference.js';
import { vitBlockParams, vitBlocksParams } from '../params/specs.js';
import { blockQkv, vitBlock, vitBlockFrom, vitBlockOutputs, vitBlocks } from './vit-block.js';

const valuesOf = (specs: ParamSpecs): Params =>
  Object.fromEntries(
    Object.entries(specs).map(([name, { shape, init }]) => [name, tf.add(tf.tensor(init(shape, randomStream(name)), [...shape]), tf.mul(scattered([...shape]), 0.1))]),
  );

onEveryBackend('a ViT block', () => {
  it('is attention behind a norm and an MLP behind a norm, each added to its input', () => {
    const params = valuesOf(vitBlockParams('b', 4, 2));
    const x = scattered([3, 4]) as tf.Tensor2D;
    const vector = (name: string): number[] => [...params[`b.${name}`]!.dataSync()];
    const matrix = (name: string) => toMatrix(vector(name), params[`b.${name}`]!.shape[1] as number);
    const map = (input: number[][], name: string) => affine(input, matrix(`${name}.weight`), vector(`${name}.bias`));
    const norm = (input: number[][], name: string) => layerNormOf(input, vector(`${name}.weight`), vector(`${name}.bias`), 1e-6);
    const input = toMatrix(x.dataSync(), 4);
    const attended = plus(input, map(attentionOf(map(norm(input, 'norm1'), 'attn.qkv'), 2), 'attn.proj'));
    const hidden = map(norm(attended, 'norm2'), 'mlp.fc1').map((row) => row.map(geluOf));
    expectValues(vitBlock(x, params, 'b', { batch: 1, tokens: 3, heads: 2 }), plus(attended, map(hidden, 'mlp.fc2')).flat(), 4);
  });

  it('has the gradient of its input through both branches', () => {
    const params = valuesOf(vitBlockParams('b', 4, 2));
    expectGradients((x) => vitBlock(x as tf.Tensor2D, params, 'b', { batch: 2, tokens: 2, heads: 2 }), [scattered([4, 4])]);
  });

  it('leaves tokens of other images alone', () => {
    const params = valuesOf(vitBlockParams('b', 4, 2));
    const first = scattered([2, 4]) as tf.Tensor2D;
    const alone = vitBlock(first, params, 'b', { batch: 1, tokens: 2, heads: 1 }).dataSync();
    const both = vitBlock(tf.concat([first, scattered([2, 4], 9)], 0) as tf.Tensor2D, params, 'b', { batch: 2, tokens: 2, heads: 1 });
    expectValues(tf.slice(both, [0, 0], [2, 4]), alone);
  });

  it('comes in two halves for those who look at queries and keys', () => {
    const params = valuesOf(vitBlockParams('b', 4, 2));
    const shape = { batch: 1, tokens: 3, heads: 2 };
    const x = scattered([3, 4]) as tf.Tensor2D;
    const qkv = blockQkv(x, params, 'b');
    expect(qkv.shape).toEqual([3, 12]);
    expectValues(vitBlockFrom(x, qkv, params, 'b', shape), vitBlock(x, params, 'b', shape).dataSync());
  });

  it('gives the output of every block of a stack, and the input itself where there is none', () => {
    const params = valuesOf(vitBlocksParams('blocks', 2, 4, 2));
    const shape = { batch: 1, tokens: 2, heads: 2 };
    const x = scattered([2, 4]) as tf.Tensor2D;
    const [first, second, ...more] = vitBlockOutputs(x, params, 'blocks', 2, shape);
    expect(more).toEqual([]);
    expectValues(first as tf.Tensor, vitBlock(x, params, 'blocks.0', shape).dataSync());
    expectValues(second as tf.Tensor, vitBlocks(x, params, 'blocks', 2, shape).dataSync());
    expect(vitBlocks(x, params, 'blocks', 0, shape)).toBe(x);
  });

  it('scales branches by learned factors, and hands them to a rule behind that', () => {
    const params: Params = { ...valuesOf(vitBlockParams('b', 4, 2)), 'b.gamma_1': tf.fill([4], 2), 'b.gamma_2': tf.fill([4], 3) };
    const shape = { batch: 1, tokens: 3, heads: 2 };
    const x = scattered([3, 4]) as tf.Tensor2D;
    const seen: Record<string, tf.Tensor2D> = {};
    const without = (hidden: string) => (branch: tf.Tensor2D, which: string): tf.Tensor2D => {
      seen[which] = branch;
      return which === hidden ? tf.zerosLike(branch) : branch;
    };
    vitBlock(x, params, 'b', shape, { residual: without('none') });
    const plain = seen['attention'] as tf.Tensor2D;
    vitBlock(x, params, 'b', shape, { scaled: ['attention'], residual: without('none') });
    expectValues(seen['attention'] as tf.Tensor, tf.mul(plain, 2).dataSync());
    // Without attention only the MLP is left, three times.
    const alone = tf.sub(vitBlock(x, params, 'b', shape, { residual: without('attention') }), x);
    expectValues(tf.sub(vitBlock(x, params, 'b', shape, { scaled: ['mlp'], residual: without('attention') }), x), tf.mul(alone, 3).dataSync(), 4);
  });

  it('adds a bias to its scores', () => {
    const params = valuesOf(vitBlockParams('b', 4, 2));
    const shape = { batch: 1, tokens: 2, heads: 1 };
    const x = scattered([2, 4]) as tf.Tensor2D;
    // Nobody attends to the second token: the first is as if it were alone.
    const bias_Ghnn = tf.tensor4d([0, -1e9, 0, -1e9], [1, 1, 2, 2]);
    const first = tf.slice(x, [0, 0], [1, 4]) as tf.Tensor2D;
    expectValues(tf.slice(vitBlock(x, params, 'b', shape, { bias_Ghnn }), [0, 0], [1, 4]), vitBlock(first, params, 'b', { ...shape, tokens: 1 }).dataSync(), 4);
  });

  it('takes biases of queries and values alone, as BEiT has them', () => {
    const full = valuesOf(vitBlockParams('b', 4, 2));
    const { 'b.attn.qkv.bias': joined, ...rest } = full;
    const own = { ...rest, 'b.attn.q_bias': tf.slice(joined!, [0], [4]), 'b.attn.v_bias': tf.slice(joined!, [8], [4]) };
    const withoutKeys = { ...full, 'b.attn.qkv.bias': tf.mul(joined!, tf.tensor1d([1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1])) };
    const x = scattered([3, 4]) as tf.Tensor2D;
    expectValues(blockQkv(x, own, 'b'), blockQkv(x, withoutKeys, 'b').dataSync());
  });

  it('stacks in the order of the numbers', () => {
    const params = valuesOf(vitBlocksParams('blocks', 2, 4, 2));
    const shape = { batch: 1, tokens: 2, heads: 2 };
    const x = scattered([2, 4]) as tf.Tensor2D;
    const expected = vitBlock(vitBlock(x, params, 'blocks.0', shape), params, 'blocks.1', shape);
    expectValues(vitBlocks(x, params, 'blocks', 2, shape), expected.dataSync());
  });
});
