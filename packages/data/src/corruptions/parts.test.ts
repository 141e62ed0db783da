import { randomStream } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { defocusBlur, gaussianBlur, motionBlur, zoomBlur } from './blurs.js';
import { contrast, elasticTransform, pixelate } from './digital.js';
import { impulseNoise, poisson } from './noise.js';
import { CORRUPTION_PARAMETERS } from './parameters.js';
import { clippedZoom, plane, reflectInner, reflectWhole, type Picture } from './picture.js';
import { plasma } from './plasma.js';
import { brightness } from './weather.js';

const mean = (values: Iterable<number>): number => {
  const list = [...values];
  return list.reduce((sum, value) => sum + value, 0) / list.length;
};
const flat = plane(20, 24, () => 0.4);
/** One white pixel in the middle of black ones. */
const point = plane(41, 41, (pixel) => (pixel === 20 * 41 + 20 ? 1 : 0));

describe('blurs', () => {
  it.each<[string, (picture: Picture) => Picture]>([
    ['gaussianBlur', (picture) => gaussianBlur(picture, 3)],
    ['defocusBlur', (picture) => defocusBlur(picture, [6, 0.5])],
    ['motionBlur', (picture) => motionBlur(picture, 15, 8, 30)],
    ['zoomBlur', (picture) => zoomBlur(picture, [0.03, 11])],
  ])('%s leaves a flat picture flat', (_, blur) => {
    for (const value of blur(flat).values) expect(value).toBeCloseTo(0.4, 10);
  });

  it('defocus spreads a point over a disk of its radius', () => {
    const { values } = defocusBlur(point, [6, 0.5]);
    expect([...values].reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 10);
    expect(values[20 * 41 + 23]).toBeCloseTo(1 / 113, 4);
    expect(values[20 * 41 + 29]).toBe(0);
  });

  it('motion draws a point out to one side, along the angle', () => {
    const { values } = motionBlur(point, 10, 3, 0);
    const row = values.subarray(20 * 41, 21 * 41);
    expect(row[21]).toBe(0);
    expect(row[19]).toBeGreaterThan(row[17]!);
    expect([...row].reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 10);
  });

  it('zoom keeps the size and the middle, and pulls the rim in from nearer the middle', () => {
    const slope = plane(21, 21, (pixel) => (pixel % 21) / 20);
    const zoomed = clippedZoom(slope, 1.5);
    expect(zoomed.values).toHaveLength(441);
    expect(zoomed.values[10 * 21 + 10]).toBeCloseTo(0.5, 1);
    expect(zoomed.values[0]).toBeGreaterThan(0.1);
    expect(clippedZoom(slope, 1).values).toEqual(slope.values);
  });
});

describe('borders', () => {
  it('reflect with and without the outermost pixel', () => {
    const places = [-4, -3, -2, -1, 0, 1, 2, 3, 4, 5];
    expect(places.map((index) => reflectWhole(index, 3))).toEqual([2, 2, 1, 0, 0, 1, 2, 2, 1, 0]);
    expect(places.map((index) => reflectInner(index, 3))).toEqual([0, 1, 2, 1, 0, 1, 2, 1, 0, 1]);
    expect(reflectInner(7, 1)).toBe(0);
  });
});

describe('noise', () => {
  it.each([0.5, 20, 400])('counts photons of mean and variance %d', (expected) => {
    const stream = randomStream('poisson', expected);
    const counts = Array.from({ length: 4000 }, () => poisson(expected, stream));
    const average = mean(counts);
    const error = Math.sqrt(expected / 4000);
    expect(Math.abs(average - expected)).toBeLessThan(5 * error);
    expect(mean(counts.map((count) => (count - average) ** 2)) / expected).toBeCloseTo(1, 0);
  });

  it('counts no photons where it is dark', () => {
    expect(poisson(0, randomStream(0))).toBe(0);
  });

  it('makes as many values black as white', () => {
    const { values } = impulseNoise(plane(100, 100, () => 0.5), 0.2, randomStream('impulse'));
    const share = (wanted: number): number => values.filter((value) => value === wanted).length / 10_000;
    // Deviation of a share of 0.1 of 10,000: 0.003.
    expect(Math.abs(share(0) - 0.1)).toBeLessThan(0.015);
    expect(Math.abs(share(1) - 0.1)).toBeLessThan(0.015);
  });
});

describe('plasma', () => {
  it.each([[224, 224], [32, 20], [3, 50], [1, 1]])('fills %d x %d between 0 and 1', (height, width) => {
    const { values } = plasma(height, width, 2, randomStream('plasma'));
    expect(values).toHaveLength(height * width);
    expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
  });

  it('is rougher where finer scales vary more', () => {
    const roughness = (decay: number): number => {
      const { values } = plasma(64, 64, decay, randomStream('rough'));
      return mean(values.subarray(1).map((value, i) => Math.abs(value - values[i]!)));
    };
    expect(roughness(1.4)).toBeGreaterThan(2 * roughness(3));
  });
});

describe('values', () => {
  const pixel = (...values: number[]): Picture => ({ height: 1, width: 1, channels: 3, values: Float64Array.from(values) });
  const rounded = (picture: Picture): number[] => [...picture.values].map((value) => Number(value.toFixed(6)));

  it('brighten with hue and saturation kept', () => {
    expect(rounded(brightness(pixel(0.2, 0.4, 0.1), 0.2))).toEqual([0.3, 0.6, 0.15]);
    expect(rounded(brightness(pixel(0, 0, 0), 0.2))).toEqual([0.2, 0.2, 0.2]);
    expect(rounded(brightness(pixel(0.4, 0.8, 0), 0.5))).toEqual([0.5, 1, 0]);
  });

  it('lose contrast towards the mean of each channel', () => {
    const picture: Picture = { height: 1, width: 2, channels: 3, values: Float64Array.of(0, 0.2, 1, 1, 0.4, 1) };
    expect(rounded(contrast(picture, 0.5))).toEqual([0.25, 0.25, 1, 0.75, 0.35, 1]);
  });

  it('become the means of squares when they are pixelated', () => {
    const image = { height: 2, width: 4, channels: 1, pixels: Uint8Array.of(0, 10, 100, 200, 20, 30, 0, 100) };
    expect([...pixelate(image, 0.5).pixels]).toEqual([15, 15, 100, 100, 15, 15, 100, 100]);
  });

  it('stay where an elastic transform has no length', () => {
    const slope = plane(9, 12, (place) => place / 108);
    const { values } = elasticTransform(slope, [0, 1, 0], randomStream(0));
    for (const [place, value] of values.entries()) expect(value).toBeCloseTo(slope.values[place]!, 10);
  });
});

describe('parameters', () => {
  it.each(Object.entries(CORRUPTION_PARAMETERS))('of %s are five for each corruption', (_, parameters) => {
    expect(Object.values(parameters).map((values: readonly unknown[]) => values.length)).toEqual(Array<number>(15).fill(5));
  });
});
