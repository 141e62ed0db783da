import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hogOfCells, orientationsOf } from './hog-of-pixels.js';

const grey = (height: number, width: number, value: (y: number, x: number) => number): number[] =>
  Array.from({ length: height * width }, (_, i) => value(Math.floor(i / width), i % width));
const image = { height: 4, width: 4, channels: 1 };
const cell = { height: 2, width: 2 };
const hog = (pixels: readonly number[], bins = 4): number[] => [...hogOfCells(orientationsOf(pixels, image, bins), cell)];

describe('gradients of pixels', () => {
  it('are left minus right and top minus bottom, weighted 1 2 1', () => {
    const { magnitude, bin } = orientationsOf(grey(3, 3, (y, x) => [1, 2, 3, 4, 5, 6, 7, 8, 11][3 * y + x]!), { height: 3, width: 3, channels: 1 }, 4);
    // Centre: left 1 + 8 + 7, right 3 + 12 + 11; top 1 + 4 + 3, bottom 7 + 16 + 11.
    expect(magnitude[4]).toBeCloseTo(Math.hypot(16 - 26, 8 - 34), 10);
    // atan2(-10, -26) lies 21 degrees beyond half a turn.
    expect(bin[4]).toBe(0);
  });

  it('vanish across the border, which is reflected', () => {
    const { magnitude } = orientationsOf(grey(4, 4, (_, x) => 10 * x), image, 4);
    expect([...magnitude]).toEqual(Array.from({ length: 16 }, (_, i) => (i % 4 === 0 || i % 4 === 3 ? 0 : 80)));
  });

  it('can be given an offset', () => {
    const { magnitude, bin } = orientationsOf(grey(4, 4, () => 7), image, 18, [0.25, 0]);
    expect([magnitude[5], bin[5]]).toEqual([0.25, 9]);
  });

  it('need two pixels a side', () => {
    expect(() => orientationsOf([1, 2], { height: 1, width: 2, channels: 1 }, 9)).toThrow(/at least 2 x 2 pixels, the image has 1 x 2/);
  });
});

describe('histograms of cells', () => {
  it('have unit length in each channel, whatever the contrast', () => {
    const wave = (scale: number) => grey(4, 4, (y, x) => scale * Math.sin(3 * y + x * x));
    const once = hog(wave(1));
    for (let first = 0; first < once.length; first += 4) expect(Math.hypot(...once.slice(first, first + 4))).toBeCloseTo(1, 6);
    hog(wave(50)).forEach((value, i) => expect(value).toBeCloseTo(once[i]!, 6));
  });

  it('stay the same under any brightness and positive contrast of whole pixels, exactly', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 16, maxLength: 16 }), fc.integer({ min: 0, max: 9 }), (pixels, brightness) => {
        expect(hog(pixels.map((value) => 4 * value + brightness))).toEqual(hog(pixels));
      }),
    );
  });

  it('are zero for flat cells, at every grey level', () => {
    for (const level of [0, 1, 84, 127, 255]) expect(hog(grey(4, 4, () => level)).every((value) => value === 0)).toBe(true);
  });

  it('put the whole magnitude into one bin', () => {
    // The left cells see the border column, which has no gradient, and one column of a slope along x.
    expect(hog(grey(4, 4, (_, x) => 10 * x))).toEqual(Array.from({ length: 16 }, (_, i) => (i % 4 === 2 ? 1 : 0)));
  });

  it('list all bins of one channel before the next', () => {
    // Channel 0 rises along x, channel 1 along y.
    const pixels = Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? (i >> 1) % 4 : i >> 3));
    const values = hogOfCells(orientationsOf(pixels, { ...image, channels: 2 }, 2), { height: 4, width: 4 });
    expect([...values]).toEqual([0, 1, 1, 0]);
  });

  it('may be rectangular, and must divide the image', () => {
    const found = orientationsOf(grey(4, 4, (y, x) => y * x), image, 9);
    expect(hogOfCells(found, { height: 2, width: 4 })).toHaveLength(18);
    expect(() => hogOfCells(found, { height: 3, width: 2 })).toThrow(/an image of 4 x 4 cannot be cut into HOG cells of 3 x 2/);
  });
});
