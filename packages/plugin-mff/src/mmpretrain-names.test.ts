import fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeRun, createObjective, loadWeights, randomStream, readSafetensors, saveWeights, type HostTensor } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { MffConfig } from './config.js';
import { fromMmpretrainName, toMmpretrainName } from './mmpretrain-names.js';
import { mff } from './plugin.js';

describe('names of mmpretrain', () => {
  it.each([
    ['cls_token', 'backbone.cls_token'],
    ['proj_weights', 'backbone.proj_weights'],
    ['proj_layers.3.bias', 'backbone.proj_layers.3.bias'],
    ['patch_embed.proj.weight', 'backbone.patch_embed.projection.weight'],
    ['blocks.10.norm1.weight', 'backbone.layers.10.ln1.weight'],
    ['blocks.0.attn.qkv.bias', 'backbone.layers.0.attn.qkv.bias'],
    ['blocks.0.mlp.fc1.weight', 'backbone.layers.0.ffn.layers.0.0.weight'],
    ['norm.bias', 'backbone.ln1.bias'],
    ['mask_token', 'neck.mask_token'],
    ['decoder_embed.weight', 'neck.decoder_embed.weight'],
    ['decoder_blocks.1.norm2.bias', 'neck.decoder_blocks.1.ln2.bias'],
    ['decoder_blocks.1.mlp.fc2.bias', 'neck.decoder_blocks.1.ffn.layers.1.bias'],
    ['decoder_norm.weight', 'neck.ln1.weight'],
    ['decoder_pred.bias', 'neck.decoder_pred.bias'],
  ])('%s is %s there', (ours, theirs) => {
    expect(toMmpretrainName(ours)).toBe(theirs);
    expect(fromMmpretrainName(theirs)).toBe(ours);
  });

  it('leave names of neither part alone', () => {
    expect(fromMmpretrainName('head.weight')).toBe('head.weight');
  });

  it('go both ways for every parameter of every depth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), (depth, decoderDepth) => {
        const config = MffConfig.parse({ patchSize: 4, width: 8, depth, heads: 1, decoderWidth: 4, decoderDepth, decoderHeads: 1 });
        const names = Object.keys(createObjective(composeRun({ image: { height: 8, width: 8, channels: 1 }, method: { plugin: mff, config } })).params());
        const theirs = names.map(toMmpretrainName);
        expect(new Set(theirs).size).toBe(names.length);
        expect(theirs.map(fromMmpretrainName)).toEqual(names);
      }),
      { numRuns: 10 },
    );
  });

  it('let a checkpoint be written for mmpretrain and read back, position tables included', async () => {
    const config = MffConfig.parse({ patchSize: 4, width: 8, depth: 2, heads: 1, decoderWidth: 4, decoderDepth: 1, decoderHeads: 1 });
    const specs = createObjective(composeRun({ image: { height: 8, width: 8, channels: 1 }, method: { plugin: mff, config } })).params();
    const values = Object.fromEntries(
      Object.entries(specs).map(([name, { shape, init }]): [string, HostTensor] => [name, { shape, dtype: 'float32', data: init(shape, randomStream(name)) }]),
    );
    const folder = await mkdtemp(join(tmpdir(), 'mimlab-mff-'));
    try {
      const path = join(folder, 'mff.safetensors');
      await saveWeights(path, values, specs, {}, { rename: toMmpretrainName });
      const { tensors } = await readSafetensors(path);
      expect(tensors['backbone.layers.1.ffn.layers.0.0.weight']?.shape).toEqual([32, 8]);
      expect(tensors['neck.decoder_pos_embed']?.data).toEqual(values['decoder_pos_embed']?.data);
      expect((await loadWeights(path, specs, { rename: fromMmpretrainName })).values).toEqual(values);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
