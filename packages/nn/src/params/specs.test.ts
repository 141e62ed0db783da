import { fileShape, randomStream, type ParamSpecs } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { isTableOrToken, linearParams, normParams, patchEmbedParams, positionParam, sparing, tokenParam, vitBlockParams, vitBlocksParams } from './specs.js';
import { stateDictOrder } from './state-dict-order.js';

describe('parameter specifications', () => {
  it('name a block as the official code does, in its order', () => {
    const specs = vitBlockParams('blocks.0', 4, 2.5);
    expect(Object.entries(specs).map(([name, { shape }]) => [name, shape])).toEqual([
      ['blocks.0.norm1.weight', [4]],
      ['blocks.0.norm1.bias', [4]],
      ['blocks.0.attn.qkv.weight', [4, 12]],
      ['blocks.0.attn.qkv.bias', [12]],
      ['blocks.0.attn.proj.weight', [4, 4]],
      ['blocks.0.attn.proj.bias', [4]],
      ['blocks.0.norm2.weight', [4]],
      ['blocks.0.norm2.bias', [4]],
      ['blocks.0.mlp.fc1.weight', [4, 10]],
      ['blocks.0.mlp.fc1.bias', [10]],
      ['blocks.0.mlp.fc2.weight', [10, 4]],
      ['blocks.0.mlp.fc2.bias', [4]],
    ]);
  });

  it('number the blocks', () => {
    const names = Object.keys(vitBlocksParams('blocks', 3, 4, 4));
    expect(names).toHaveLength(36);
    expect(names[35]).toBe('blocks.2.mlp.fc2.bias');
  });

  it('store linear weights as [out, in] and patch embeddings as convolution kernels', () => {
    const linear = linearParams('fc', 3, 5)['fc.weight']!;
    expect(fileShape(linear.layout, linear.shape)).toEqual([5, 3]);
    const patch = patchEmbedParams('proj', { height: 2, width: 4 }, 3, 7)['proj.weight']!;
    expect(patch.shape).toEqual([24, 7]);
    expect(fileShape(patch.layout, patch.shape)).toEqual([7, 3, 2, 4]);
  });

  it('start norms at one and zero, biases at zero, the patch bias at random', () => {
    const start = (specs: ReturnType<typeof normParams>, name: string) => [...specs[name]!.init(specs[name]!.shape, randomStream(name))];
    expect(start(normParams('norm', 2), 'norm.weight')).toEqual([1, 1]);
    expect(start(normParams('norm', 2), 'norm.bias')).toEqual([0, 0]);
    expect(start(linearParams('fc', 2, 2), 'fc.bias')).toEqual([0, 0]);
    expect(start(patchEmbedParams('p', { height: 2, width: 2 }, 1, 3), 'p.bias').some((value) => value !== 0)).toBe(true);
  });

  it('freeze position tables and train tokens', () => {
    const table = positionParam(4, { rows: 2, columns: 3 }, { cls: true });
    expect(table.shape).toEqual([1, 7, 4]);
    expect(table.trainable).toBe(false);
    expect(table.init(table.shape, randomStream('p'))).toHaveLength(28);
    expect(tokenParam(4)).toMatchObject({ shape: [1, 1, 4], trainable: true });
  });
});

describe('the order of a state dict', () => {
  it("lists a module's own parameters before those of its sub-modules, at every level", () => {
    const given = ['cls_token', 'blocks.0.fc.weight', 'blocks.0.scale', 'norm.weight', 'mask_token', 'blocks.1.fc.weight', 'norm.bias'];
    expect(stateDictOrder(given)).toEqual(['cls_token', 'mask_token', 'blocks.0.scale', 'blocks.0.fc.weight', 'blocks.1.fc.weight', 'norm.weight', 'norm.bias']);
  });
});

describe('parameters that weight decay spares', () => {
  it('are those of the names that are given, the others as they were', () => {
    const specs: ParamSpecs = { mask_token: tokenParam(4), ...linearParams('embed', 4, 4) };
    const spared = sparing(specs, isTableOrToken);
    expect(Object.entries(spared).map(([name, { decay }]) => [name, decay])).toEqual([['mask_token', false], ['embed.weight', undefined], ['embed.bias', undefined]]);
    expect(spared['embed.weight']).toBe(specs['embed.weight']);
  });

  it('are tables of relative positions and tokens in the sparse Swins', () => {
    expect(['layers.0.blocks.0.attn.relative_position_bias_table', 'decoder.1.mask_token', 'patch_embed.proj.bias'].map(isTableOrToken)).toEqual([true, true, false]);
  });
});
