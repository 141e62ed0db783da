import { describe, expect, it } from 'vitest';
import { GreenMimConfig } from './config.js';

const messages = (config: unknown): string[] =>
  GreenMimConfig.safeParse(config).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('the configuration of GreenMIM', () => {
  it('defaults to Swin-B with windows of 7, visible tokens at their own places', () => {
    expect(GreenMimConfig.parse({})).toEqual({
      patchSize: 4,
      width: 128,
      depths: [2, 2, 18, 2],
      heads: [4, 8, 16, 32],
      window: 7,
      mlpRatio: 4,
      decoderWidth: 512,
      decoderDepth: 1,
      decoderHeads: 16,
      maskRatio: 0.75,
      normPix: true,
      visibleOrder: 'raster',
      grouping: 'compact',
      mergeOrder: 'columns',
      embedPatches: 'visible',
    });
  });

  it('survives being written out and read again', () => {
    const config = GreenMimConfig.parse({ depths: [2, 2], heads: [2, 4], visibleOrder: 'released', grouping: 'searched', mergeOrder: 'rows' });
    expect(GreenMimConfig.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it('refuses keys it does not know', () => {
    expect(messages({ windowSize: 7 })[0]).toMatch(/windowSize/);
  });

  it.each(['fixed', true])('refuses %j as an order of visible tokens', (visibleOrder) => {
    expect(messages({ visibleOrder })[0]).toMatch(/^visibleOrder: /);
  });

  it('wants one number of heads for each stage', () => {
    expect(messages({ depths: [2, 2], heads: [4] })).toEqual(['heads: 1 numbers of heads for 2 stages']);
  });

  it('names the stage whose width its heads do not divide', () => {
    expect(messages({ width: 6, depths: [1, 1], heads: [2, 5] })).toEqual(['heads: the width 12 of stage 1 is not divisible by 5 heads']);
  });

  it('says what a decoder width must be divisible by', () => {
    expect(messages({ decoderWidth: 18, decoderHeads: 4 })).toEqual([
      'decoderWidth: 18 is not divisible by 4 (decoderHeads)',
      'decoderWidth: 18 is not divisible by 4 (sine-cosine positions)',
    ]);
  });

  it.each([{ maskRatio: 0 }, { maskRatio: 1 }, { depths: [] }, { depths: [0] }, { window: 0 }, { patchSize: 1.5 }])('refuses %j', (wrong) => {
    expect(messages(wrong)[0]).toMatch(new RegExp(`^${Object.keys(wrong)[0]}`));
  });
});
