import type { ParamSpec } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { TrainConfig } from './config.js';
import { decays, parameterUpdates } from './parameter-groups.js';

const spec = (shape: readonly number[], trainable = true): ParamSpec => ({ shape, trainable, layout: { kind: 'same' }, init: () => new Float32Array(0) });

describe('the official decay rule', () => {
  it.each([
    ['blocks.0.attn.qkv.weight', [4, 12], true],
    ['blocks.0.attn.qkv.bias', [12], false],
    ['norm.weight', [4], false],
    ['cls_token', [1, 1, 4], true],
    ['mask_token', [1, 1, 4], true],
    ['relative.bias', [4, 4], false],
  ] as const)('%s %o: %s', (name, shape, expected) => {
    expect(decays(name, shape, 'official')).toBe(expected);
  });
});

describe('the no-tokens decay rule', () => {
  it.each([
    ['cls_token', [1, 1, 4], false],
    ['decoder.mask_token', [1, 1, 4], false],
    ['decoder_pos_embed', [1, 5, 4], false],
    ['patch_embed.proj.weight', [16, 4], true],
    ['proj_weights', [6, 1, 1, 1], true],
    ['norm.weight', [4], false],
  ] as const)('%s %o: %s', (name, shape, expected) => {
    expect(decays(name, shape, 'no-tokens')).toBe(expected);
  });
});

describe('updates', () => {
  const specs = { 'a.weight': spec([2, 2]), 'a.bias': spec([2]), cls_token: spec([1, 1, 2]), pos_embed: spec([1, 3, 2], false) };

  it('are declared for trainable parameters only', () => {
    expect(Object.keys(parameterUpdates(specs, TrainConfig.parse({})))).toEqual(['a.weight', 'a.bias', 'cls_token']);
  });

  it('do not decay what the method itself exempts, whatever the rule', () => {
    const exempt = { table: { ...spec([9, 2]), decay: false as const }, other: spec([9, 2]) };
    for (const decayRule of ['official', 'no-tokens'] as const) {
      const updates = parameterUpdates(exempt, TrainConfig.parse({ weightDecay: 0.3, decayRule }));
      expect([updates['table']?.decay, updates['other']?.decay]).toEqual([0, 0.3]);
    }
  });

  it('carry the decay, the moments and eps of the configuration', () => {
    const config = TrainConfig.parse({ weightDecay: 0.3, betas: [0.8, 0.99], eps: 1e-6, decayRule: 'no-tokens' });
    const rule = { kind: 'adamw', beta1: 0.8, beta2: 0.99, eps: 1e-6 };
    expect(parameterUpdates(specs, config)).toEqual({
      'a.weight': { rule, decay: 0.3, lrScale: 1 },
      'a.bias': { rule, decay: 0, lrScale: 1 },
      cls_token: { rule, decay: 0, lrScale: 1 },
    });
  });
});
