import { randomStream } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { centreCrop, randomCrop, type RandomCropSpec } from './crop.js';

const spec: RandomCropSpec = { kind: 'random-resized-crop', scale: [0.2, 1], ratio: [3 / 4, 4 / 3], flip: 0.5 };
const side = fc.integer({ min: 1, max: 300 });

describe('randomCrop', () => {
  it('lies inside the image and holds at least one pixel', () => {
    fc.assert(
      fc.property(side, side, fc.nat(), (height, width, seed) => {
        const crop = randomCrop(height, width, spec, randomStream(seed));
        expect(crop.height).toBeGreaterThanOrEqual(1);
        expect(crop.width).toBeGreaterThanOrEqual(1);
        expect(crop.top).toBeGreaterThanOrEqual(0);
        expect(crop.left).toBeGreaterThanOrEqual(0);
        expect(crop.top + crop.height).toBeLessThanOrEqual(height);
        expect(crop.left + crop.width).toBeLessThanOrEqual(width);
        expect([crop.sourceHeight, crop.sourceWidth]).toEqual([height, width]);
      }),
    );
  });

  it('keeps area and ratio in their ranges, up to the rounding of the sides', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 300 }), fc.integer({ min: 200, max: 300 }), fc.nat(), (height, width, seed) => {
        const crop = randomCrop(height, width, spec, randomStream(seed));
        const area = (crop.height * crop.width) / (height * width);
        expect(area).toBeGreaterThan(0.195);
        expect(area).toBeLessThanOrEqual(1);
        expect(crop.width / crop.height).toBeGreaterThan(0.73);
        expect(crop.width / crop.height).toBeLessThan(1.36);
      }),
    );
  });

  it('is a function of its stream', () => {
    expect(randomCrop(80, 90, spec, randomStream(1, 'augment', 2, 3))).toEqual(randomCrop(80, 90, spec, randomStream(1, 'augment', 2, 3)));
    expect(randomCrop(80, 90, spec, randomStream(1, 'augment', 2, 3))).not.toEqual(randomCrop(80, 90, spec, randomStream(1, 'augment', 2, 4)));
  });

  it('reaches every corner of the image', () => {
    const crops = Array.from({ length: 400 }, (_, i) => randomCrop(8, 8, { ...spec, scale: [0.2, 0.4] }, randomStream('corner', i)));
    expect(crops.some(({ top, left }) => top === 0 && left === 0)).toBe(true);
    expect(crops.some(({ top, left, height, width }) => top + height === 8 && left + width === 8)).toBe(true);
  });

  it('takes the widest centred crop when no try fits', () => {
    const narrow = { ...spec, scale: [1, 1] as const };
    expect(randomCrop(10, 100, narrow, randomStream(0))).toMatchObject({ top: 0, left: 43, height: 10, width: 13 });
    expect(randomCrop(100, 9, narrow, randomStream(0))).toMatchObject({ top: 44, left: 0, height: 12, width: 9 });
    const square = { ...spec, scale: [1, 1] as const, ratio: [1, 1] as const };
    expect(randomCrop(6, 6, square, randomStream(0))).toMatchObject({ top: 0, left: 0, height: 6, width: 6 });
  });

  it('flips always, never, or about half the time', () => {
    const flips = (flip: number): number => Array.from({ length: 1000 }, (_, i) => randomCrop(9, 9, { ...spec, flip }, randomStream(i))).filter((crop) => crop.flip).length;
    expect(flips(0)).toBe(0);
    expect(flips(1)).toBe(1000);
    expect(Math.abs(flips(0.5) - 500)).toBeLessThan(80);
  });

  it('places the crop the same whether or not images are flipped', () => {
    const place = (flip: number): object => ({ ...randomCrop(50, 60, { ...spec, flip }, randomStream(5)), flip: undefined });
    expect(place(0)).toEqual(place(1));
  });
});

describe('centreCrop', () => {
  it('brings the shorter side to the size and cuts the longer one evenly', () => {
    expect(centreCrop({ height: 100, width: 200 }, { height: 50, width: 50 }, 1)).toEqual({ height: 50, width: 100, window: { top: 0, left: 25, height: 50, width: 50 } });
    expect(centreCrop({ height: 30, width: 10 }, { height: 20, width: 20 }, 1)).toEqual({ height: 60, width: 20, window: { top: 20, left: 0, height: 20, width: 20 } });
  });

  it('leaves a border when only a fraction is kept', () => {
    expect(centreCrop({ height: 500, width: 375 }, { height: 224, width: 224 }, 224 / 256)).toEqual({ height: 341, width: 256, window: { top: 58, left: 16, height: 224, width: 224 } });
  });

  it('covers any size with any image', () => {
    fc.assert(
      fc.property(side, side, side, side, fc.double({ min: 0.3, max: 1, noNaN: true }), (h, w, height, width, fraction) => {
        const view = centreCrop({ height: h, width: w }, { height, width }, fraction);
        expect(view.window).toMatchObject({ height, width });
        expect(view.window.top).toBeGreaterThanOrEqual(0);
        expect(view.window.left).toBeGreaterThanOrEqual(0);
        expect(view.window.top + height).toBeLessThanOrEqual(view.height);
        expect(view.window.left + width).toBeLessThanOrEqual(view.width);
      }),
    );
  });
});
