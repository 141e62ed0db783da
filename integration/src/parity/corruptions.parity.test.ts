import { corrupt, type CorruptionName, type Severity } from '@mimlab/data';
import { randomStream } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { describeGolden, loadGolden, tensorOf } from './golden-cases.js';

const SIDE = 224;
/** The image of golden/corruptions. */
const image = {
  height: SIDE,
  width: SIDE,
  channels: 3,
  pixels: Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, place) => {
    const [y, x, c] = [Math.floor(place / (3 * SIDE)), Math.floor(place / 3) % SIDE, place % 3];
    return Math.abs(((2 * x + 3 * y + 40 * c + Math.floor((x * y) / 40)) % 510) - 255);
  }),
};
/** Rows 3, 16, ... and columns 5, 18, ... */
const kept = (pixels: Uint8Array): number[] =>
  Array.from({ length: 17 * 17 * 3 }, (_, at) => {
    const [row, column, c] = [Math.floor(at / 51), Math.floor(at / 3) % 17, at % 3];
    return pixels[((3 + 13 * row) * SIDE + 5 + 13 * column) * 3 + c] as number;
  });

/** Largest difference of a byte: sums in another order may fall on the other side of a whole number. */
const TOLERANCE: readonly (readonly [CorruptionName, number])[] = [
  ['defocus_blur', 1],
  ['zoom_blur', 1],
  ['brightness', 1],
  ['contrast', 0],
  ['pixelate', 0],
  ['jpeg_compression', 0],
];

describeGolden('corruptions', /\.safetensors$/, (cases) => {
  describe.each(cases)('$name', (found) => {
    it.each(TOLERANCE)("%s equals the authors' function to %d of 255 at every severity", async (name, tolerance) => {
      const golden = await loadGolden(found);
      for (const severity of [1, 2, 3, 4, 5] as const satisfies readonly Severity[]) {
        const expected = tensorOf(golden, `${name}.${severity}`).data;
        const { pixels } = await corrupt(image, name, severity, randomStream('draws nothing'));
        const differences = kept(pixels).map((value, at) => Math.abs(value - Number(expected[at])));
        expect(Math.max(...differences)).toBeLessThanOrEqual(tolerance);
        // Bytes that differ at all are rare: the arithmetic is the same.
        expect(differences.filter((difference) => difference > 0).length).toBeLessThan(0.06 * differences.length);
      }
    });
  });
});
