import { describe, expect, it } from 'vitest';
import { LocalMimConfig } from './config.js';

const messages = (config: unknown): string[] => LocalMimConfig.safeParse(config).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('the configuration of LocalMIM', () => {
  it('defaults to ViT-B/16 with four scales and HOG targets of nine bins', () => {
    expect(LocalMimConfig.parse({})).toEqual({
      arch: 'vit',
      patchSize: 16,
      width: 768,
      depth: 12,
      heads: 12,
      window: null,
      mlpRatio: 4,
      scales: [4, 2, 1, 0.5],
      taps: [2, 4, 10, 12],
      merging: null,
      decoderWidth: 256,
      decoderDepth: 1,
      decoderHeads: 8,
      maskRatio: 0.75,
      kind: 'hog',
      bins: 9,
      hogBias: false,
      normPix: null,
      embedPatches: 'visible',
      headTokens: 'scored',
    });
  });

  it('defaults to Swin-B with the published eighteen bins and offsets under arch: swin', () => {
    expect(LocalMimConfig.parse({ arch: 'swin' })).toMatchObject({
      patchSize: 4,
      width: 128,
      depth: [2, 2, 18, 2],
      heads: [4, 8, 16, 32],
      window: 7,
      scales: null,
      taps: null,
      merging: 'corrected',
      decoderWidth: 128,
      decoderHeads: 4,
      bins: 18,
      hogBias: true,
      headTokens: 'grid',
    });
  });

  it('reads the encoder where the published models do, whatever the depth', () => {
    expect(LocalMimConfig.parse({ width: 1024, depth: 24, heads: 16 }).taps).toEqual([2, 4, 22, 24]);
    expect(LocalMimConfig.parse({ depth: 7 }).taps).toEqual([2, 4, 5, 7]);
  });

  it('refuses a depth at which the published taps coincide, and says what to do', () => {
    expect(messages({ depth: 6 })).toEqual(["taps: [2, 4, 4, 6] does not ascend to 6 (depth); the published rule needs a depth of at least 7, give 'taps' otherwise"]);
    expect(messages({ depth: 6, taps: [1, 2, 4, 6] })).toEqual([]);
  });

  it('wants a tap for each scale, the last behind all blocks', () => {
    expect(messages({ scales: [2, 1] })).toEqual(['taps: 4 taps for 2 scales: each scale has a decoder, each decoder a tap']);
    expect(messages({ scales: [2, 1], taps: [6, 11] })).toEqual(['taps: [6, 11] does not ascend to 12 (depth)']);
  });

  it('refuses keys of the other architecture or kind', () => {
    expect(messages({ window: 7, merging: 'released' })).toEqual(['window: needs arch: swin; remove it or set it to null', 'merging: needs arch: swin; remove it or set it to null']);
    expect(messages({ arch: 'swin', scales: [1], taps: [2] })).toEqual(['scales: needs arch: vit; remove it or set it to null', 'taps: needs arch: vit; remove it or set it to null']);
    expect(messages({ kind: 'pixels', bins: 9 })).toEqual(['bins: needs kind: hog; remove it or set it to null']);
    expect(messages({ normPix: false })).toEqual(['normPix: needs kind: pixels; remove it or set it to null']);
  });

  it('refuses one number of blocks for Swin and a list for ViT', () => {
    expect(messages({ arch: 'swin', depth: 12, heads: 4 })).toEqual(['depth: swin takes a list, one number for each stage', 'heads: swin takes a list, one number for each stage']);
    expect(messages({ depth: [2, 2], heads: [1, 2] })).toEqual(['heads: a list of stages needs arch: swin; vit has one number of heads', 'depth: a list of stages needs arch: swin; vit has one number of blocks']);
    expect(messages({ arch: 'swin', depth: [2, 2, 2] })).toEqual(['heads: 4 stages have heads, 3 have blocks']);
    expect(messages({ arch: 'swin', patchSize: [4, 4], headTokens: 'scored' })).toEqual(['patchSize: swin takes one number', "headTokens: swin predicts the whole grid: remove it or set it to 'grid'"]);
  });

  it('refuses widths that cannot be divided', () => {
    expect(messages({ width: 770, decoderWidth: 100 })).toEqual([
      'decoderWidth: 100 is not divisible by 8 (decoderHeads)',
      'width: 770 is not divisible by 12 (heads)',
      'width: 770 is not divisible by 4 (sine-cosine positions)',
    ]);
    expect(messages({ arch: 'swin', decoderWidth: 24, decoderHeads: 8 })).toEqual(['decoderHeads: 8 heads do not divide 12, the width of the first decoder']);
  });

  it.each([{}, { kind: 'pixels', normPix: false }, { arch: 'swin', merging: 'released' }, { patchSize: [8, 4], scales: [4, 1], taps: [3, 12] }])('survives being stored and read again: %j', (config) => {
    const parsed = LocalMimConfig.parse(config);
    expect(LocalMimConfig.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
  });
});
