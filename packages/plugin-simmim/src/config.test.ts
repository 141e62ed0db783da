import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SimMimConfig } from './config.js';

const messages = (config: unknown): string[] =>
  SimMimConfig.safeParse(config).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('the configuration of SimMIM', () => {
  it('defaults to ViT-B/16 with the released recipe', () => {
    expect(SimMimConfig.parse({})).toEqual({
      arch: 'vit',
      patchSize: 16,
      width: 768,
      depth: 12,
      heads: 12,
      window: null,
      mlpRatio: 4,
      layerScale: 0.1,
      layerScaleOn: 'both',
      positions: 'relative',
      dropPath: 0.1,
      embedPatches: 'visible',
      maskUnit: 32,
      maskRatio: 0.6,
      aggregatePosition: 'before-norm',
      exemptTables: 'released',
    });
  });

  it('defaults to Swin-B with windows of 6 where asked for Swin', () => {
    expect(SimMimConfig.parse({ arch: 'swin' })).toMatchObject({
      patchSize: 4,
      width: 128,
      depth: [2, 2, 18, 2],
      heads: [4, 8, 16, 32],
      window: 6,
      layerScale: null,
      dropPath: 0,
      embedPatches: 'all',
    });
  });

  it.each([{}, { arch: 'swin', window: 12 }, { patchSize: [8, 4], maskUnit: [16, 8], layerScale: null, dropPath: 0 }])('survives being written out and read again: %j', (input) => {
    const config = SimMimConfig.parse(input);
    expect(JSON.stringify(SimMimConfig.parse(JSON.parse(JSON.stringify(config))))).toBe(JSON.stringify(config));
  });

  it('takes what papers count, whatever the encoder', () => {
    for (const arch of ['vit', 'swin']) expect(SimMimConfig.parse({ ...SimMimConfig.parse({ arch }), embedPatches: 'all' })).toMatchObject({ arch, embedPatches: 'all' });
  });

  it('refuses keys it does not know', () => {
    expect(messages({ maskUnits: 32 })[0]).toMatch(/maskUnits/);
  });

  it('says which keys do not go with a ViT', () => {
    expect(messages({ depth: [2, 2], heads: [1, 2], window: 6 })).toEqual([
      'depth: a list of stages needs arch: swin; vit has one number of blocks',
      'heads: a list of stages needs arch: swin; vit has one number of heads',
      'window: windows need arch: swin; remove it or set it to null',
    ]);
  });

  it('says which keys do not go with Swin', () => {
    expect(messages({ arch: 'swin', depth: 12, heads: 12, window: null, layerScale: 0.1, positions: 'learned', embedPatches: 'visible', aggregatePosition: 'after-norm' })).toEqual([
      'depth: swin takes a list, one number for each stage',
      'heads: swin takes a list, one number for each stage',
      'window: swin needs a window',
      'layerScale: layer scale needs arch: vit; remove it or set it to null',
      'positions: learned positions need arch: vit; remove it or set it to relative',
      "embedPatches: swin embeds all patches: remove it or set it to 'all'",
      'aggregatePosition: needs arch: vit; no wrapper reconstructs tokens of swin',
    ]);
  });

  it.each([
    [{ width: 770 }, 'width: 770 is not divisible by 12 (heads)'],
    [{ arch: 'swin', depth: [2, 2] }, 'heads: 4 stages have heads, 2 have blocks'],
    [{ layerScale: null, layerScaleOn: 'mlp' }, 'layerScaleOn: there is no layer scale to apply'],
    [{ arch: 'swin', layerScaleOn: 'mlp' }, 'layerScaleOn: there is no layer scale to apply'],
    [{ patchSize: 16, maskUnit: 24 }, 'maskUnit: mask units of 24 x 24 pixels cannot be cut into patches of 16 x 16'],
    [{ patchSize: [16, 8], maskUnit: [16, 12] }, 'maskUnit: mask units of 16 x 12 pixels cannot be cut into patches of 16 x 8'],
  ])('%j does not fit together', (config, message) => {
    expect(messages(config)).toEqual([message]);
  });

  it.each([0, 1, -0.1])('refuses a mask ratio of %d', (maskRatio) => {
    expect(messages({ maskRatio })[0]).toMatch(/^maskRatio: /);
  });

  it('describes every key for editors', () => {
    const { properties } = z.toJSONSchema(SimMimConfig, { io: 'input' }) as { properties: Record<string, { description?: string }> };
    expect(Object.keys(properties)).toHaveLength(16);
    for (const [key, { description }] of Object.entries(properties)) expect(description, key).toBeTruthy();
  });
});
