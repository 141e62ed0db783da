import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fusedBlocks, MffConfig } from './config.js';

const messages = (config: unknown): string[] =>
  MffConfig.safeParse(config).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('the configuration of MFF', () => {
  it('defaults to ViT-B/16 as mmpretrain publishes it', () => {
    expect(MffConfig.parse({})).toEqual({
      patchSize: 16,
      width: 768,
      depth: 12,
      heads: 12,
      mlpRatio: 4,
      fuseBlocks: 'spread',
      evaluate: 'plain',
      positions: 'mmpretrain',
      decoderWidth: 512,
      decoderDepth: 8,
      decoderHeads: 16,
      maskRatio: 0.75,
      normPix: true,
      embedPatches: 'visible',
    });
  });

  it('survives being written out and read again', () => {
    const config = MffConfig.parse({ patchSize: [8, 4], depth: 4, fuseBlocks: [0, 2, 3], evaluate: 'fused' });
    expect(MffConfig.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it('refuses keys it does not know', () => {
    expect(messages({ fuseBlock: [11] })[0]).toMatch(/fuseBlock/);
  });

  it('says which width does not fit what, all at once', () => {
    expect(messages({ width: 770, decoderWidth: 24 })).toEqual([
      'width: 770 is not divisible by 12 (heads)',
      'width: 770 is not divisible by 4 (sine-cosine positions)',
      'decoderWidth: 24 is not divisible by 16 (decoderHeads)',
    ]);
  });

  it.each([
    [[0, 2], 'fuseBlocks: the last entry must be the last block, 11 of 12 blocks, not 2'],
    [[0, 12], 'fuseBlocks: the last entry must be the last block, 11 of 12 blocks, not 12'],
    [[4, 2, 11], 'fuseBlocks: [4, 2, 11] does not ascend'],
    [[2, 2, 11], 'fuseBlocks: [2, 2, 11] does not ascend'],
  ])('refuses to fuse blocks %j', (fuseBlocks, message) => {
    expect(messages({ fuseBlocks })).toEqual([message]);
  });

  it.each([[], [-1, 11], [0.5, 11]])('refuses a list of blocks like %j', (...fuseBlocks) => {
    expect(messages({ fuseBlocks })[0]).toMatch(/^fuseBlocks/);
  });

  it('describes every key for editors', () => {
    const { properties } = z.toJSONSchema(MffConfig, { io: 'input' }) as { properties: Record<string, { description?: string }> };
    expect(Object.keys(properties)).toHaveLength(14);
    for (const [key, { description }] of Object.entries(properties)) expect(description, key).toBeTruthy();
  });
});

describe('the blocks that are fused', () => {
  it.each([
    [12, [0, 2, 4, 6, 8, 11]],
    [24, [0, 4, 9, 13, 18, 23]],
    [4, [0, 1, 2, 3]],
    [1, [0]],
  ])('spread over a depth of %d', (depth, blocks) => {
    expect(fusedBlocks({ fuseBlocks: 'spread', depth })).toEqual(blocks);
  });

  it('are those named, where they are named', () => {
    expect(fusedBlocks({ fuseBlocks: [0, 2, 3], depth: 4 })).toEqual([0, 2, 3]);
  });
});
