import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { denormalise, normalise, patchPlaces, patchStatistics, visibleStatistics } from './patches.js';

const colour = { mean: [0, 0.5, 1], std: [1, 0.5, 0.25] };

describe('pixels', () => {
  it('are normalised channel by channel', () => {
    expect([...normalise(Uint8Array.of(255, 255, 255, 0, 0, 0), colour)]).toEqual([1, 1, 0, 0, -1, -4]);
  });

  it('come back channel by channel, rounded and clipped to what a picture can show', () => {
    expect([...denormalise(Float32Array.of(1, 1, 0, -9, 9, 9), colour)]).toEqual([255, 255, 255, 0, 255, 255]);
    expect([...denormalise(Float32Array.of(0.5, 0, -2), colour)]).toEqual([128, 128, 128]);
  });
});

describe('the places of patch values', () => {
  it('name every value of the image once, whatever the sizes', () => {
    const few = fc.integer({ min: 1, max: 3 });
    fc.assert(
      fc.property(few, few, few, few, few, (rows, columns, patchHeight, patchWidth, channels) => {
        const image = { height: rows * patchHeight, width: columns * patchWidth, channels };
        const places = patchPlaces({ image, grid: { rows, columns } });
        expect([...places].sort((a, b) => a - b)).toEqual(Array.from({ length: image.height * image.width * channels }, (_, at) => at));
      }),
    );
  });

  it('go through channels fastest, then along the columns of a patch', () => {
    expect([...patchPlaces({ image: { height: 2, width: 2, channels: 2 }, grid: { rows: 1, columns: 2 } })]).toEqual([0, 1, 4, 5, 2, 3, 6, 7]);
  });
});

describe('statistics of patches', () => {
  it('of one value, and of equal values, have the deviation that keeps a division harmless', () => {
    expect(patchStatistics({ data: Float32Array.of(7), each: 1 }).std[0]).toBeCloseTo(1e-3, 12);
    expect(patchStatistics({ data: Float32Array.of(2, 2, 2), each: 3 })).toEqual({ mean: Float64Array.of(2), std: Float64Array.of(Math.sqrt(1e-6)) });
  });

  it('that are guessed lie near those of near patches', () => {
    const own = { mean: Float64Array.of(0, 0, 0, 9), std: Float64Array.of(1, 0, 0, 2) };
    const guess = visibleStatistics(own, Int32Array.of(0, 3), { rows: 1, columns: 4 });
    expect(guess.mean[1]).toBeCloseTo(9 / 5, 12);
    expect(guess.mean[2]).toBeCloseTo((4 * 9) / 5, 12);
    expect(guess.std[1]).toBeCloseTo((4 * 1 + 2) / 5, 12);
  });

  it('that are guessed keep to the range of the visible ones', () => {
    const grid = { rows: 3, columns: 3 };
    const values = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 9, maxLength: 9 });
    const visible = fc.uniqueArray(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(values, visible, (all, seen) => {
        const mean = Float64Array.from(all);
        const guess = visibleStatistics({ mean, std: mean.map(Math.abs) }, Int32Array.from(seen), grid);
        const shown = seen.map((cell) => mean[cell] as number);
        for (const value of guess.mean) {
          expect(value).toBeGreaterThanOrEqual(Math.min(...shown) - 1e-9);
          expect(value).toBeLessThanOrEqual(Math.max(...shown) + 1e-9);
        }
      }),
    );
  });
});
