import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { MaeConfig } from './config.js';

const messages = (config: unknown): string[] =>
  MaeConfig.safeParse(config).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('the configuration of MAE', () => {
  it('defaults to ViT-B/16 with the published recipe', () => {
    expect(MaeConfig.parse({})).toEqual({
      patchSize: 16,
      width: 768,
      depth: 12,
      heads: 12,
      mlpRatio: 4,
      decoderWidth: 512,
      decoderDepth: 8,
      decoderHeads: 16,
      maskRatio: 0.75,
      normPix: true,
      embedPatches: 'visible',
    });
  });

  it('survives being written out and read again', () => {
    const config = MaeConfig.parse({ patchSize: [8, 4], maskRatio: 0.6, normPix: false });
    expect(MaeConfig.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it('refuses keys it does not know', () => {
    expect(messages({ maskRation: 0.5 })[0]).toMatch(/maskRation/);
  });

  it.each([0, 1, -0.1])('refuses a mask ratio of %d', (maskRatio) => {
    expect(messages({ maskRatio })[0]).toMatch(/^maskRatio: /);
  });

  it.each([0, 1.5, [16], [16, 0], '16'])('refuses a patch size of %j', (patchSize) => {
    expect(messages({ patchSize })[0]).toMatch(/^patchSize/);
  });

  it('says which width does not fit what, all at once', () => {
    expect(messages({ width: 770, decoderWidth: 24, decoderHeads: 16 })).toEqual([
      'width: 770 is not divisible by 12 (heads)',
      'width: 770 is not divisible by 4 (sine-cosine positions)',
      'decoderWidth: 24 is not divisible by 16 (decoderHeads)',
    ]);
  });

  it('describes every key for editors', () => {
    const { properties } = z.toJSONSchema(MaeConfig, { io: 'input' }) as { properties: Record<string, { description?: string }> };
    expect(Object.keys(properties)).toHaveLength(11);
    for (const [key, { description }] of Object.entries(properties)) expect(description, key).toBeTruthy();
  });
});
