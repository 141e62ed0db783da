import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TecConfig } from './config.js';

const messages = (config: unknown): string[] =>
  TecConfig.safeParse(config).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
const teacher = { checkpoint: null };

describe('the configuration of TEC', () => {
  it('defaults to a ViT-B/16 student of an iBOT ViT-B/16, with the published recipe', () => {
    expect(TecConfig.parse({ teacher: { checkpoint: 'ibot.pth' } })).toEqual({
      teacher: { checkpoint: 'ibot.pth', weights: 'teacher', width: 768, depth: 12, heads: 12, mlpRatio: 4, lastLayers: 2 },
      targets: 'features-and-attention',
      topK: 9,
      temperature: 1,
      patchSize: 16,
      width: 768,
      depth: 12,
      heads: 12,
      mlpRatio: 4,
      inputAdapter: true,
      adapterBlocks: 3,
      decoderWidth: 512,
      decoderDepth: 2,
      decoderHeads: 16,
      maskRatio: 0.75,
      embedPatches: 'visible',
    });
  });

  it.each([{}, { teacher: {} }, { teacher: { width: 384 } }])('asks for the teacher where none is named: %j', (config) => {
    expect(messages(config)).toContainEqual(
      'teacher.checkpoint: TEC needs a teacher: name the weights of a ViT (.pth, .safetensors, run folder), or write null for one that starts at random',
    );
  });

  it('takes an empty path for a mistake', () => {
    expect(messages({ teacher: { checkpoint: '' } })[0]).toMatch(/^teacher\.checkpoint/);
  });

  it('survives being written out and read again', () => {
    const config = TecConfig.parse({ teacher, targets: 'feature-only', depth: 6, adapterBlocks: 2 });
    expect(TecConfig.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it('refuses keys it does not know, in the teacher too', () => {
    expect(messages({ teacher, topk: 3 })[0]).toMatch(/topk/);
    expect(messages({ teacher: { checkpoint: null, embed_dim: 3 } })[0]).toMatch(/embed_dim/);
  });

  it('says what does not fit what, all at once', () => {
    expect(messages({ teacher: { checkpoint: null, width: 770, lastLayers: 13 }, width: 770, depth: 10, decoderWidth: 24 })).toEqual([
      'teacher.width: 770 is not divisible by 12 (teacher.heads)',
      'teacher.width: 770 is not divisible by 4 (sine-cosine positions)',
      'teacher.lastLayers: there are no 13 blocks in a depth of 12',
      'width: 770 is not divisible by 12 (heads)',
      'width: 770 is not divisible by 4 (sine-cosine positions)',
      'depth: 10 is not divisible by 3 (adapterBlocks)',
      'decoderWidth: 24 is not divisible by 16 (decoderHeads)',
    ]);
  });

  it('describes every key for editors', () => {
    const { properties } = z.toJSONSchema(TecConfig, { io: 'input' }) as unknown as { properties: Record<string, { description?: string; properties?: Record<string, { description?: string }> }> };
    const inner = properties['teacher']?.properties ?? {};
    expect([Object.keys(properties).length, Object.keys(inner).length]).toEqual([16, 7]);
    for (const [key, { description }] of [...Object.entries(properties), ...Object.entries(inner)]) expect(description, key).toBeTruthy();
  });
});
