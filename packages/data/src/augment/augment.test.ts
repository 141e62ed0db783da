import { randomStream, type ImageSpec } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AugmentSpec, SourceImage } from '../contract.js';
import { augmentInto, flipRows } from './augment.js';
import { resize } from './resize.js';

const none: AugmentSpec = { kind: 'none' };
const cropping: AugmentSpec = { kind: 'random-resized-crop', scale: [0.2, 1], ratio: [3 / 4, 4 / 3], flip: 0.5 };
const whole: AugmentSpec = { kind: 'random-resized-crop', scale: [1, 1], ratio: [1, 1], flip: 1 };

const grey: SourceImage = { height: 2, width: 2, channels: 1, pixels: Uint8Array.of(1, 2, 3, 4) };
const colour: SourceImage = { height: 1, width: 2, channels: 3, pixels: Uint8Array.of(255, 0, 0, 0, 0, 255) };

function augmented(source: SourceImage, spec: ImageSpec, augment: AugmentSpec, seed = 0): { pixels: number[]; crop: ReturnType<typeof augmentInto> } {
  const out = new Uint8Array(spec.height * spec.width * spec.channels).fill(99);
  const crop = augmentInto(source, spec, augment, randomStream(seed), out);
  return { pixels: [...out], crop };
}

describe('augmentInto', () => {
  it('copies an image that has the right size already', () => {
    const { pixels, crop } = augmented(grey, { height: 2, width: 2, channels: 1 }, none);
    expect(pixels).toEqual([1, 2, 3, 4]);
    expect(crop).toEqual({ top: 0, left: 0, height: 2, width: 2, sourceHeight: 2, sourceWidth: 2, flip: false });
  });

  it('mirrors the rows of a flipped image', () => {
    const { pixels, crop } = augmented(grey, { height: 2, width: 2, channels: 1 }, whole);
    expect(pixels).toEqual([2, 1, 4, 3]);
    expect(crop.flip).toBe(true);
  });

  it('repeats grey over the colours', () => {
    expect(augmented(grey, { height: 2, width: 2, channels: 3 }, none).pixels).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
  });

  it('turns colours into their brightness', () => {
    // 0.299 * 255 and 0.114 * 255, rounded.
    expect(augmented(colour, { height: 1, width: 2, channels: 1 }, none).pixels).toEqual([76, 29]);
  });

  it('records where the centre crop lies in the source', () => {
    const wide: SourceImage = { height: 4, width: 12, channels: 1, pixels: new Uint8Array(48) };
    expect(augmented(wide, { height: 2, width: 2, channels: 1 }, none).crop).toMatchObject({ top: 0, left: 4, height: 4, width: 4, sourceHeight: 4, sourceWidth: 12 });
    expect(augmented(wide, { height: 2, width: 2, channels: 1 }, { kind: 'none', cropFraction: 0.5 }).crop).toMatchObject({ top: 1, left: 5, height: 2, width: 2 });
  });

  it('shows a whole image whatever its proportions', () => {
    const wide: SourceImage = { height: 1, width: 4, channels: 1, pixels: Uint8Array.of(0, 0, 200, 200) };
    const { pixels, crop } = augmented(wide, { height: 2, width: 2, channels: 1 }, { kind: 'whole' });
    expect(crop).toEqual({ top: 0, left: 0, height: 1, width: 4, sourceHeight: 1, sourceWidth: 4, flip: false });
    expect(pixels).toEqual([...resize(wide, { height: 2, width: 2 })]);
    expect(pixels[0]).toBeLessThan(50);
    expect(pixels[1]).toBeGreaterThan(150);
  });

  it('resizes crops with the filter asked for', () => {
    const source: SourceImage = { height: 4, width: 4, channels: 1, pixels: Uint8Array.from({ length: 16 }, (_, i) => (i * 97) % 256) };
    const [size, still] = [{ height: 3, width: 3 }, { ...whole, flip: 0 }];
    for (const filter of ['bicubic', 'bilinear'] as const) {
      expect(augmented(source, { ...size, channels: 1 }, { ...still, interpolation: filter }).pixels).toEqual([...resize(source, { ...size, filter })]);
    }
    expect(augmented(source, { ...size, channels: 1 }, still).pixels).toEqual([...resize(source, size)]);
    expect(resize(source, { ...size, filter: 'bilinear' })).not.toEqual(resize(source, size));
  });

  it('gives the resized pixels of the crop it records', () => {
    const source: SourceImage = { height: 9, width: 7, channels: 3, pixels: Uint8Array.from({ length: 189 }, (_, i) => (i * 37) % 256) };
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const { pixels, crop } = augmented(source, { height: 4, width: 5, channels: 3 }, cropping, seed);
        const expected = resize(source, { box: crop, height: 4, width: 5 });
        if (crop.flip) flipRows(expected, 5, 3);
        expect(pixels).toEqual([...expected]);
      }),
    );
  });

  it('leaves the source untouched', () => {
    const source = { ...grey, pixels: grey.pixels.slice() };
    augmented(source, { height: 2, width: 2, channels: 1 }, whole);
    expect(source.pixels).toEqual(grey.pixels);
  });
});

describe('a simple crop', () => {
  const simple: AugmentSpec = { kind: 'simple-crop', padding: 2, flip: 0 };
  /** Twice as wide as high; every column has a value of its own. */
  const wide: SourceImage = { height: 4, width: 8, channels: 1, pixels: Uint8Array.from({ length: 32 }, (_, i) => 10 * (i % 8)) };
  const square: ImageSpec = { height: 4, width: 4, channels: 1 };

  it('keeps the scale: the shorter side is the size asked for, wherever the window lies', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const { crop } = augmented({ ...wide, height: 8, width: 16, pixels: new Uint8Array(128) }, square, simple, seed);
        expect(crop).toMatchObject({ height: 8, width: 8, sourceHeight: 8, sourceWidth: 16 });
      }),
    );
  });

  it('draws every place of the padded image, and none beyond', () => {
    const crops = Array.from({ length: 500 }, (_, seed) => augmented(wide, square, simple, seed).crop);
    const places = (side: 'top' | 'left'): number[] => [...new Set(crops.map((crop) => crop[side]))].sort((a, b) => a - b);
    expect(places('top')).toEqual([-2, -1, 0, 1, 2]);
    expect(places('left')).toEqual([-2, -1, 0, 1, 2, 3, 4, 5, 6]);
  });

  it('shows the image reflected over its edges', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const { pixels, crop } = augmented(wide, square, simple, seed);
        const column = (x: number): number => 10 * (x < 0 ? -x : x > 7 ? 14 - x : x);
        expect(pixels.slice(0, 4)).toEqual([0, 1, 2, 3].map((x) => column(crop.left + x)));
      }),
    );
  });

  it('is a centre crop in size alone where nothing is padded and the image fits', () => {
    const { pixels, crop } = augmented(grey, { height: 2, width: 2, channels: 1 }, { ...simple, padding: 0 });
    expect(pixels).toEqual([1, 2, 3, 4]);
    expect(crop).toEqual({ top: 0, left: 0, height: 2, width: 2, sourceHeight: 2, sourceWidth: 2, flip: false });
  });

  it('flips at the probability asked for, and places the window the same either way', () => {
    const [still, flipped] = [0, 1].map((flip) => augmented(wide, square, { ...simple, flip }, 7));
    expect(flipped?.crop).toEqual({ ...still?.crop, flip: true });
    expect(flipped?.pixels.slice(0, 4)).toEqual(still?.pixels.slice(0, 4).reverse());
  });

  it('resizes with the filter asked for', () => {
    const source: SourceImage = { height: 5, width: 5, channels: 1, pixels: Uint8Array.from({ length: 25 }, (_, i) => (i * 97) % 256) };
    const size = { height: 3, width: 3 };
    const of = (interpolation?: 'bilinear'): number[] => augmented(source, { ...size, channels: 1 }, { ...simple, padding: 0, interpolation }).pixels;
    expect(of('bilinear')).toEqual([...resize(source, { ...size, filter: 'bilinear' })]);
    expect(of()).toEqual([...resize(source, size)]);
  });
});

describe('flipRows', () => {
  it('undoes itself', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.constantFrom(1, 3), fc.uint8Array({ minLength: 18, maxLength: 18 }), (width, channels, bytes) => {
        const pixels = bytes.slice(0, Math.floor(18 / (width * channels)) * width * channels);
        const twice = pixels.slice();
        flipRows(twice, width, channels);
        flipRows(twice, width, channels);
        expect(twice).toEqual(pixels);
      }),
    );
  });
});
