import { randomStream } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { constant } from './initializers.js';
import { scaledBlockParams } from './scaled-block.js';

const size = { width: 2, mlpRatio: 3, weight: constant(1), lastWeight: constant(5) };

describe('parameters of a block with layer scale', () => {
  it('are those of BEiT, in the order of its state dict', () => {
    expect(Object.keys(scaledBlockParams('b', { ...size, layerScale: { start: 0.1, on: ['attention', 'mlp'] } }))).toEqual(
      ['gamma_1', 'gamma_2', 'norm1.weight', 'norm1.bias', 'attn.q_bias', 'attn.v_bias', 'attn.qkv.weight', 'attn.proj.weight', 'attn.proj.bias', 'norm2.weight', 'norm2.bias', 'mlp.fc1.weight', 'mlp.fc1.bias', 'mlp.fc2.weight', 'mlp.fc2.bias'].map((name) => `b.${name}`),
    );
  });

  it('lack both scales where there is none', () => {
    expect(Object.keys(scaledBlockParams('b', { ...size, layerScale: null })).filter((name) => name.includes('gamma'))).toEqual([]);
  });

  it('keep a scale that is not applied, without teaching it', () => {
    const specs = scaledBlockParams('b', { ...size, layerScale: { start: 0.5, on: ['mlp'] } });
    expect([specs['b.gamma_1']?.trainable, specs['b.gamma_2']?.trainable]).toEqual([false, true]);
    expect([...(specs['b.gamma_1']?.init([2], randomStream('scale')) ?? [])]).toEqual([0.5, 0.5]);
  });

  it('start maps that end a branch by a rule of their own', () => {
    const specs = scaledBlockParams('b', { ...size, layerScale: null });
    const start = (name: string): number | undefined => specs[`b.${name}`]?.init([1], randomStream(name))[0];
    expect(['attn.qkv.weight', 'attn.proj.weight', 'mlp.fc1.weight', 'mlp.fc2.weight'].map(start)).toEqual([1, 5, 1, 5]);
    expect(specs['b.mlp.fc1.weight']?.shape).toEqual([2, 6]);
  });
});
