import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SourceImage } from '../contract.js';
import { affine, rotation } from './affine.js';
import { autoContrast, brightness, color, contrast, equalize, invert, posterize, sharpness, solarize, solarizeAdd } from './tone-operations.js';

interface Fixture {
  readonly height: number;
  readonly width: number;
  readonly pixels: readonly number[];
  /** Equalizing changes nothing in an image of fewer pixels than there are values. */
  readonly large: { readonly height: number; readonly width: number; readonly pixels: readonly number[]; readonly equalize: readonly number[] };
  readonly cases: readonly { readonly name: string; readonly argument: number | null; readonly pixels: readonly number[] }[];
}

const { height, width, pixels, large, cases } = JSON.parse(readFileSync(new URL('../../fixtures/pillow.json', import.meta.url), 'utf8')) as Fixture;
const image: SourceImage = { height, width, channels: 3, pixels: Uint8Array.from(pixels) };
const fill = [124, 116, 104];

const operations: Readonly<Record<string, (argument: number) => SourceImage>> = {
  autoContrast: () => autoContrast(image),
  equalize: () => equalize(image),
  invert: () => invert(image),
  posterize: (bits) => posterize(image, bits),
  solarize: (threshold) => solarize(image, threshold),
  solarizeAdd: (amount) => solarizeAdd(image, amount),
  color: (factor) => color(image, factor),
  contrast: (factor) => contrast(image, factor),
  brightness: (factor) => brightness(image, factor),
  sharpness: (factor) => sharpness(image, factor),
  rotate: (degrees) => affine(image, rotation(image, degrees), fill),
  shearX: (amount) => affine(image, [1, amount, 0, 0, 1, 0], fill),
  shearY: (amount) => affine(image, [1, 0, 0, amount, 1, 0], fill),
  translateX: (share) => affine(image, [1, 0, share * width, 0, 1, 0], fill),
  translateY: (share) => affine(image, [1, 0, 0, 0, 1, share * height], fill),
};

describe('operations of Pillow', () => {
  it.each(cases)('$name by $argument equals it bit for bit', ({ name, argument, pixels: expected }) => {
    expect([...operations[name]!(argument ?? 0).pixels]).toEqual(expected);
  });

  it('equalize a larger image bit for bit', () => {
    const { equalize: expected, pixels: before, ...size } = large;
    expect(expected).not.toEqual(before);
    expect([...equalize({ ...size, channels: 3, pixels: Uint8Array.from(before) }).pixels]).toEqual(expected);
  });

  it('are all compared', () => {
    expect(new Set(cases.map(({ name }) => name))).toEqual(new Set(Object.keys(operations)));
  });
});

const grey = (...values: number[]): SourceImage => ({ height: 1, width: values.length, channels: 1, pixels: Uint8Array.from(values) });

describe('operations on grey images', () => {
  it('leave saturation alone', () => {
    expect(color(grey(1, 2, 3), 0)).toEqual(grey(1, 2, 3));
  });

  it('stretch contrast over the whole range', () => {
    expect([...autoContrast(grey(10, 20, 30)).pixels]).toEqual([0, 127, 255]);
  });

  it('leave an image of one value alone', () => {
    expect([...autoContrast(grey(10, 10)).pixels]).toEqual([10, 10]);
    expect([...equalize(grey(10, 10)).pixels]).toEqual([10, 10]);
  });

  it('spread frequent values when they equalize', () => {
    const values = Array.from({ length: 512 }, (_, i) => Math.floor(i / 4));
    const spread = equalize(grey(...values)).pixels;
    expect(spread[511]! - spread[0]!).toBeGreaterThan(240);
  });
});
