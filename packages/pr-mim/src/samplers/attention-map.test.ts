import type { Crop } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { storedWeights, tokenWeights } from './attention-map.js';

const close = (actual: ArrayLike<number>, expected: readonly number[]): void => {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 6));
};

describe('stored weights', () => {
  test('span 0 to 1 for each head and are averaged over the heads', () => {
    close(storedWeights(Float32Array.of(0.1, 0.2, 0.3, 0.5, 0.1, 0.1), 2), [0.5, 0.25, 0.5]);
  });

  test('count a head that tells no tokens apart as 0', () => {
    close(storedWeights(Float32Array.of(0.25, 0.25, 0, 0.4), 2), [0, 0.5]);
  });
});

const grid = { rows: 2, columns: 4 };
const map = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const whole: Crop = { top: 0, left: 0, height: 20, width: 40, sourceHeight: 20, sourceWidth: 40, flip: false };

describe('weights of a crop', () => {
  test('are the map itself for a whole image of any size', () => {
    close(tokenWeights(map, grid, whole, 'crop'), [...map]);
    close(tokenWeights(map, grid, { ...whole, height: 7, sourceHeight: 7, width: 13, sourceWidth: 13 }, 'crop'), [...map]);
  });

  test('are mirrored with the image', () => {
    close(tokenWeights(map, grid, { ...whole, flip: true }, 'crop'), [4, 3, 2, 1, 8, 7, 6, 5]);
  });

  test('are those of the part that the crop shows', () => {
    // The right half: columns 2 and 3 of the map, each over two tokens.
    close(tokenWeights(map, grid, { ...whole, left: 20, width: 20 }, 'crop'), [3, 3, 4, 4, 7, 7, 8, 8]);
    // The lower half of the left half.
    close(tokenWeights(map, grid, { ...whole, top: 10, height: 10, width: 20 }, 'crop'), [5, 5, 6, 6, 5, 5, 6, 6]);
  });

  test('average what a token shows of several places', () => {
    // Columns 0.5 to 3.5 of the map in steps of 0.75: half of 1 and a quarter of 2, three quarters of 2, of 3, and so on.
    close(tokenWeights(map, { rows: 1, columns: 4 }, { ...whole, left: 5, width: 30, height: 20 }, 'crop'), [0.5 / 0.75 + 2 * (0.25 / 0.75), 2, 3, 3 * (0.25 / 0.75) + 4 * (0.5 / 0.75)]);
  });

  test('are those of the reflected part where the crop reaches over an edge', () => {
    const side = { rows: 1, columns: 4 };
    // Half a cell of padding to the left: the first token shows half the first cell mirrored and half of it as it is.
    close(tokenWeights(Float32Array.of(1, 2, 3, 4), side, { ...whole, left: -5, width: 40, height: 20 }, 'crop'), [1, 1.5, 2.5, 3.5]);
    close(tokenWeights(Float32Array.of(1, 2, 3, 4), side, { ...whole, left: 20, width: 40, height: 20 }, 'crop'), [3, 4, 4, 3]);
  });

  test('keep the mean where the crop is the whole image, and never leave its range', () => {
    const side = fc.double({ min: 1, max: 30, noNaN: true });
    fc.assert(
      fc.property(side, side, fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), (height, width, down, right, flip) => {
        const crop = { height, width, top: down * (30 - height), left: right * (30 - width), sourceHeight: 30, sourceWidth: 30, flip };
        for (const mode of ['crop', 'released'] as const) {
          for (const weight of tokenWeights(map, grid, crop, mode)) {
            expect(weight).toBeGreaterThan(1 - 1e-9);
            expect(weight).toBeLessThan(8 + 1e-9);
          }
        }
        const flat = tokenWeights(new Float32Array(8).fill(3), grid, crop, 'crop');
        for (const weight of flat) expect(weight).toBeCloseTo(3, 9);
      }),
    );
  });
});

describe('weights as the released code has them', () => {
  const large = { rows: 4, columns: 4 };
  const corner = Float32Array.from({ length: 16 }, (_, i) => (i === 0 ? 1 : 0));

  test('depend on nothing of the crop but whether it touches the far edges', () => {
    const at = (top: number, left: number): Float64Array => tokenWeights(corner, large, { ...whole, top, left, height: 8, width: 16 }, 'released');
    expect(at(0, 0)).toEqual(at(7, 15));
    expect(at(12, 0)).not.toEqual(at(11, 0));
    expect(at(0, 24)).not.toEqual(at(0, 23));
  });

  test('blow the two by two corner of the map up', () => {
    // One place of 1 beside three of 0, bilinear over 64 points a side: product of two falling ramps.
    const ramp = [1, 0, 0, 0].map((_, token) => {
      let sum = 0;
      for (let point = 0; point < 16; point++) sum += 1 - Math.min(1, Math.max(0, ((token * 16 + point + 0.5) * 2) / 64 - 0.5));
      return sum / 16;
    });
    const weights = tokenWeights(corner, large, { ...whole, height: 8, width: 16 }, 'released');
    close(weights, ramp.flatMap((down) => ramp.map((right) => down * right)));
    expect(weights[0]).toBeGreaterThan(0.9);
    expect(weights[15]).toBeLessThan(0.01);
  });
});
