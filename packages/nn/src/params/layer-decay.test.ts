import { describe, expect, it } from 'vitest';
import { layerDecayScale, swinLayers, vitLayers } from './layer-decay.js';

describe('layers for learning rates that fall with depth', () => {
  it.each([
    ['cls_token', 0],
    ['mask_token', 0],
    ['pos_embed', 0],
    ['patch_embed.proj.weight', 0],
    ['blocks.0.gamma_1', 1],
    ['blocks.11.attn.relative_position_bias_table', 12],
    ['rel_pos_bias.relative_position_bias_table', 13],
    ['fc_norm.weight', 13],
    ['head.bias', 13],
  ])('of a ViT with 12 blocks: %s is in layer %d', (name, layer) => {
    expect(vitLayers(12)(name)).toBe(layer);
  });

  it.each([
    ['patch_embed.norm.weight', 0],
    ['mask_token', 0],
    ['absolute_pos_embed', 0],
    ['layers.0.blocks.1.mlp.fc1.bias', 2],
    ['layers.0.downsample.norm.weight', 2],
    ['layers.2.blocks.0.norm1.weight', 5],
    ['layers.2.downsample.reduction.weight', 22],
    ['layers.3.blocks.1.norm2.bias', 24],
    ['norm.weight', 25],
    ['head.weight', 25],
  ])('of Swin-B: %s is in layer %d', (name, layer) => {
    expect(swinLayers([2, 2, 18, 2])(name)).toBe(layer);
  });

  it('scale by the decay once for every layer behind', () => {
    expect(layerDecayScale(0.5, 2, 3)).toBe(1);
    expect(layerDecayScale(0.5, 2, 0)).toBe(0.125);
  });
});
