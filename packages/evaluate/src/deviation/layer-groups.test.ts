import type { ParamSpecs } from '@mimlab/core';
import { vitEncoder } from '@mimlab/nn';
import { describe, expect, it } from 'vitest';
import { layerGroups } from './layer-groups.js';

const specs = (...names: string[]): ParamSpecs => Object.fromEntries(names.map((name) => [name, { shape: [1], trainable: !name.startsWith('fixed'), layout: { kind: 'same' }, init: () => new Float32Array(1) }]));

describe('layer groups', () => {
  it('cut the blocks into thirds by depth', () => {
    const { early, middle, late } = layerGroups(specs('blocks.0.w', 'blocks.1.w', 'blocks.2.w', 'blocks.3.w'), {});
    expect([early, middle, late]).toEqual([['blocks.0.w', 'blocks.1.w'], ['blocks.2.w'], ['blocks.3.w']]);
  });

  it('have four blocks each in a ViT of twelve', () => {
    const encoder = vitEncoder({ image: { height: 4, width: 4, channels: 1 }, patch: { height: 2, width: 2 }, width: 4, depth: 12, heads: 1, mlpRatio: 1, embedPatches: 'all' });
    const groups = layerGroups(encoder.params(), {});
    expect(groups['embedding']).toEqual(['cls_token', 'patch_embed.proj.weight', 'patch_embed.proj.bias']);
    const blocksOf = (group: string): string[] => [...new Set(groups[group]?.map((name) => name.split('.').slice(0, 2).join('.')))];
    expect(blocksOf('early')).toEqual(['blocks.0', 'blocks.1', 'blocks.2', 'blocks.3']);
    expect(blocksOf('late')).toEqual(['blocks.8', 'blocks.9', 'blocks.10', 'blocks.11', 'norm.weight', 'norm.bias']);
  });

  it('count the blocks of all stages, and leave merging with the stage before it', () => {
    const groups = layerGroups(specs('encoder.layers.0.blocks.0.w', 'encoder.layers.0.downsample.w', 'encoder.layers.1.blocks.0.w', 'encoder.layers.2.blocks.0.w', 'encoder.mask_token'), {});
    expect(groups).toMatchObject({
      embedding: ['encoder.mask_token'],
      early: ['encoder.layers.0.blocks.0.w', 'encoder.layers.0.downsample.w'],
      middle: ['encoder.layers.1.blocks.0.w'],
      late: ['encoder.layers.2.blocks.0.w'],
    });
  });

  it('hold every trainable parameter of the encoder, and the decoder apart', () => {
    const groups = layerGroups(specs('cls_token', 'fixed_embed', 'blocks.0.w'), specs('head.w', 'fixed.pos'));
    expect(groups).toEqual({ encoder: ['cls_token', 'blocks.0.w'], embedding: ['cls_token'], early: ['blocks.0.w'], decoder: ['head.w'] });
  });
});
