import type { Architecture } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { createClassifier, type Pooling } from './classifier.js';
import { tunedParams, tuningUpdates, type TunedBlocks } from './tuned-parameters.js';

const vit: Architecture = { kind: 'vit', patch: { height: 2, width: 2 }, width: 4, depth: 3, heads: 1, mlpRatio: 2 };
const beit: Architecture = { ...vit, kind: 'beit', positions: 'relative', layerScale: { start: 0.1, on: ['attention', 'mlp'] } };
const swin: Architecture = { kind: 'swin', patch: { height: 2, width: 2 }, width: 4, depths: [1, 2], heads: [1, 2], mlpRatio: 2, window: 2 };
const classifierOf = (architecture: Architecture, pool: Pooling = 'mean') => createClassifier({ architecture, image: { height: 8, width: 8, channels: 1 }, classes: 3, pool });
const learning = (architecture: Architecture, tuned: TunedBlocks): string[] =>
  Object.entries(tunedParams(classifierOf(architecture), tuned)).flatMap(([name, { trainable }]) => (trainable ? [name] : [])).sort();

const HEAD = ['fc_norm.bias', 'fc_norm.weight', 'head.bias', 'head.weight'];

describe('what learns in partial fine-tuning', () => {
  it('is the new norm and the head alone with no block', () => {
    expect(learning(vit, 0)).toEqual(HEAD);
  });

  it('is norm and MLP of the last block besides with half a block', () => {
    expect(learning(vit, 'half')).toEqual([...['mlp.fc1.bias', 'mlp.fc1.weight', 'mlp.fc2.bias', 'mlp.fc2.weight', 'norm2.bias', 'norm2.weight'].map((name) => `blocks.2.${name}`), ...HEAD].sort());
  });

  it('is the scale of the MLP besides where branches have one', () => {
    expect(learning(beit, 'half')).toContain('blocks.2.gamma_2');
    expect(learning(beit, 'half')).not.toContain('blocks.2.gamma_1');
  });

  it('leaves embedding and positions alone even with all blocks, unlike full fine-tuning', () => {
    const all = learning(vit, 3);
    expect(all.filter((name) => name.startsWith('blocks.0.'))).not.toEqual([]);
    expect(all).not.toContain('pos_embed');
    expect(learning(vit, 'all')).toEqual([...all, 'cls_token', 'pos_embed', 'patch_embed.proj.bias', 'patch_embed.proj.weight'].sort());
  });

  it('takes a patch merging with the last block of its stage', () => {
    expect(learning(swin, 2).some((name) => name.includes('downsample'))).toBe(false);
    expect(learning(swin, 3).some((name) => name.includes('downsample'))).toBe(true);
    expect(learning(swin, 0)).toEqual(['head.bias', 'head.weight', 'norm.bias', 'norm.weight']);
  });
});

describe('rates and decay of fine-tuning', () => {
  const rule = { weightDecay: 0.05, layerDecay: 0.5, betas: [0.9, 0.999], eps: 1e-8 } as const;
  const updatesOf = (architecture: Architecture, tuned: TunedBlocks = 'all') => {
    const classifier = classifierOf(architecture);
    return tuningUpdates(classifier, tunedParams(classifier, tuned), rule);
  };

  it('shrink by half a layer towards the input', () => {
    const updates = updatesOf(vit);
    expect(['head.weight', 'blocks.2.attn.qkv.weight', 'blocks.0.attn.qkv.weight', 'pos_embed'].map((name) => updates[name]?.lrScale)).toEqual([1, 0.5, 0.125, 0.0625]);
  });

  it('are those of full fine-tuning where only some blocks learn', () => {
    const some = updatesOf(vit, 1);
    expect(some).not.toHaveProperty(['blocks.1.attn.qkv.weight']);
    for (const [name, update] of Object.entries(some)) expect(update).toEqual(updatesOf(vit)[name]);
  });

  it('spare vectors, tokens and positions, and tables of relative positions in Swin alone', () => {
    const table = 'attn.relative_position_bias_table';
    expect(['cls_token', 'pos_embed', 'head.bias', 'blocks.0.norm1.weight'].map((name) => updatesOf(vit)[name]?.decay)).toEqual([0, 0, 0, 0]);
    expect(updatesOf(beit)[`blocks.0.${table}`]?.decay).toBe(0.05);
    expect(updatesOf(swin)[`layers.0.blocks.0.${table}`]?.decay).toBe(0);
  });
});
