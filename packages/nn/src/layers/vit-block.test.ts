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

  it('stacks in the order of the numbers', () => {
    const params = valuesOf(vitBlocksParams('blocks', 2, 4, 2));
    const shape = { batch: 1, tokens: 2, heads: 2 };
    const x = scattered([2, 4]) as tf.Tensor2D;
    const expected = vitBlock(vitBlock(x, params, 'blocks.0', shape), params, 'blocks.1', shape);
    expectValues(vitBlocks(x, params, 'blocks', 2, shape), expected.dataSync());
  });
});
