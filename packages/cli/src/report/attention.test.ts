import { createEngine, type Engine } from '@mimlab/engine';
import { parameterState, type AttentionSource } from '@mimlab/train';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadRunContext, type RunContext } from '../run/run-context.js';
import { attentionMaps, HEADS, type AttentionMaps } from './attention.js';

const SMALL = ['method.patchSize=14', 'method.width=16', 'method.depth=1', 'method.decoderWidth=16', 'method.decoderHeads=1', 'engine.kind=eager'];
const image = (value: number): Uint8Array => new Uint8Array(28 * 28).fill(value);

const QKV = 'blocks.0.attn.qkv.weight';

let context: RunContext;
let engine: Engine;
beforeAll(async () => {
  context = await loadRunContext('mae/mnist-quickstart', [...SMALL, 'method.heads=8', 'wrap=[]']);
  engine = await createEngine({ ...context.config.engine, kind: 'eager', precision: 'fp32' });
  await engine.define(parameterState(context.objective.params(), 0));
});
afterAll(() => {
  engine.dispose();
});
const source = (): AttentionSource => ({ objective: context.objective, engine, statistics: { mean: [0.5], std: [0.5] } as AttentionSource['statistics'] });
const sizeOf = async (uri: string): Promise<[number | undefined, number | undefined]> => {
  const { width, height } = await sharp(Buffer.from(uri.slice(uri.indexOf(',') + 1), 'base64')).metadata();
  return [width, height];
};

describe('maps of attention', () => {
  let maps: AttentionMaps[];
  beforeAll(async () => {
    maps = (await attentionMaps(source(), [image(0), Uint8Array.from({ length: 784 }, (_, at) => at % 256)])) as AttentionMaps[];
  });

  it('are one an image, with the mean and as many heads as are drawn', () => {
    expect(maps).toHaveLength(2);
    expect(maps.map(({ heads }) => heads.length)).toEqual([HEADS, HEADS]);
  });

  it('have a pixel for each token', async () => {
    expect(await Promise.all([maps[0]?.mean, maps[0]?.heads[0]].map((uri) => sizeOf(uri as string)))).toEqual([[2, 2], [2, 2]]);
  });

  it('name the token that is attended most, counted from one, with a share that no mean exceeds', () => {
    for (const { peak } of maps) {
      for (const place of [peak.row, peak.column]) expect(place).toBeGreaterThanOrEqual(1);
      for (const place of [peak.row, peak.column]) expect(place).toBeLessThanOrEqual(2);
      expect(peak.share).toBeGreaterThan(0);
      expect(peak.share).toBeLessThan(1);
    }
  });

  it('differ between images', () => {
    expect(maps[0]?.mean).not.toBe(maps[1]?.mean);
  });
});

it('an encoder that attends to all tokens alike has the first one as its peak', async () => {
  const { [QKV]: spec } = context.objective.params();
  const shape = spec?.shape ?? [];
  await engine.write({ [QKV]: { shape, dtype: 'float32', data: new Float32Array(shape.reduce((size, side) => size * side, 1)) } });
  const [map] = (await attentionMaps(source(), [image(9)])) ?? [];
  expect(map?.peak).toMatchObject({ row: 1, column: 1 });
  // Four tokens and the class token itself.
  expect(map?.peak.share).toBeCloseTo(1 / 5, 6);
});

it('an encoder that offers no attention has no maps', async () => {
  const encoder = { ...context.objective.encoder };
  delete encoder.classAttention;
  expect(await attentionMaps({ ...source(), objective: { ...context.objective, encoder } }, [image(0)])).toBeUndefined();
});
