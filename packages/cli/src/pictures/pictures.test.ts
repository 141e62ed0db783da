import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCanvas, drawImage, drawText, fillRect } from './canvas.js';
import { denormalise, denormalisePatches, normalise, patchify, patchStatistics, unpatchify, visibleStatistics } from './patches.js';
import { eachDot, GLYPH, textWidth } from './pixel-font.js';
import { drawReconstructions, ROLE_COLOURS } from './reconstruction-grid.js';

const grid = { rows: 2, columns: 2 };
const statistics = { mean: [0.5], std: [0.25] };

describe('the dot font', () => {
  it('has every printable character it is asked for as 5 x 7 dots', () => {
    for (const character of 'ABCXYZabcxyz0123456789.,:;-+=/%()<>#*?!|_') {
      const dots: [number, number][] = [];
      eachDot(character, (x, y) => dots.push([x, y]));
      expect(dots.length, character).toBeGreaterThan(0);
      expect(dots.every(([x, y]) => x < GLYPH.width && y < GLYPH.height), character).toBe(true);
    }
  });

  it('draws different characters differently', () => {
    const shapes = new Set([...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./-+%()'].map((character) => {
      const dots: string[] = [];
      eachDot(character, (x, y) => dots.push(`${x},${y}`));
      return dots.join(' ');
    }));
    expect(shapes.size).toBe(69);
  });

  it('shows a question mark for what it does not have', () => {
    const dots = (text: string): number => {
      let count = 0;
      eachDot(text, () => count++);
      return count;
    };
    expect(dots('漢')).toBe(dots('?'));
  });

  it('measures text without the gap behind it', () => {
    expect(textWidth('')).toBe(0);
    expect(textWidth('a')).toBe(5);
    expect(textWidth('ab')).toBe(11);
  });
});

describe('the canvas', () => {
  it('clips what lies outside', () => {
    const canvas = createCanvas(2, 2, [0, 0, 0]);
    fillRect(canvas, 1, 1, 5, 5, [9, 8, 7]);
    expect([...canvas.pixels]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 8, 7]);
  });

  it('draws grey images in grey and enlarges pixels', () => {
    const canvas = createCanvas(2, 2, [0, 0, 0]);
    drawImage(canvas, { height: 1, width: 1, channels: 1, pixels: Uint8Array.of(50) }, 0, 0, 2);
    expect(canvas.pixels.every((value) => value === 50)).toBe(true);
  });

  it('centres text', () => {
    const canvas = createCanvas(11, 7, [255, 255, 255]);
    drawText(canvas, 'I', 5.5, 0, [0, 0, 0], 1, 'centre');
    const inked = [...canvas.pixels.keys()].filter((at) => canvas.pixels[at] === 0).map((at) => Math.floor(at / 3) % 11);
    expect(Math.min(...inked)).toBe(4);
    expect(Math.max(...inked)).toBe(6);
  });
});

describe('patches', () => {
  it('run row by row, inside a patch by row, column, channel', () => {
    const image = { height: 2, width: 4, channels: 1 };
    const patches = patchify(Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7), { image, grid: { rows: 1, columns: 2 } });
    expect([...patches.data]).toEqual([0, 1, 4, 5, 2, 3, 6, 7]);
    expect(patches.each).toBe(4);
  });

  it('go back to the image they came from, whatever the sizes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), (rows, columns, side, channels) => {
        const layout = { image: { height: rows * side, width: columns * side, channels }, grid: { rows, columns } };
        const image = Float32Array.from({ length: rows * side * columns * side * channels }, (_, i) => i);
        expect(unpatchify(patchify(image, layout), layout)).toEqual(image);
      }),
    );
  });

  it('lose nothing by normalising and back', () => {
    const pixels = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(denormalise(normalise(pixels, statistics), statistics)).toEqual(pixels);
  });

  it('come back from their own normalisation with their own statistics', () => {
    const patches = { data: Float32Array.of(1, 2, 3, 4, 10, 20, 30, 40), each: 4 };
    const own = patchStatistics(patches);
    expect(own.mean[0]).toBe(2.5);
    expect(own.std[0]).toBeCloseTo(Math.sqrt(5 / 3 + 1e-6), 12);
    const standardised = { data: patches.data.map((value, i) => (value - (own.mean[i >> 2] as number)) / (own.std[i >> 2] as number)), each: 4 };
    denormalisePatches(standardised, own).data.forEach((value, i) => {
      expect(value).toBeCloseTo(patches.data[i] as number, 4);
    });
  });

  it('get statistics from visible patches without looking at hidden ones', () => {
    const visible = Int32Array.of(0, 3);
    const guess = visibleStatistics({ mean: Float64Array.of(1, 5, 6, 3), std: Float64Array.of(1, 7, 8, 2) }, visible, grid);
    const other = visibleStatistics({ mean: Float64Array.of(1, -9, 0, 3), std: Float64Array.of(1, 0, 0, 2) }, visible, grid);
    expect(guess).toEqual(other);
    expect(guess.mean[1]).toBeCloseTo(2, 10);
    expect(guess.std[2]).toBeCloseTo(1.5, 10);
  });
});

describe('the picture of reconstructions', () => {
  const plan = { grid, visible: Int32Array.of(0), retained: Int32Array.of(1), thrown: Int32Array.of(2, 3) };
  const picture = (value: number): { height: number; width: number; channels: number; pixels: Uint8Array } => ({ height: 4, width: 4, channels: 1, pixels: new Uint8Array(16).fill(value) });
  const canvas = drawReconstructions([{ original: picture(200), reconstruction: picture(60), plan }], ['raw pixels']);
  const side = 112;
  const at = (column: number, x: number, y: number): number[] => {
    const left = 6 + column * (side + 6) + x;
    const offset = ((17 + y) * canvas.width + left) * 3;
    return [...canvas.pixels.subarray(offset, offset + 3)];
  };

  it('shows original, visible patches, map and reconstruction side by side', () => {
    expect(at(0, 80, 80)).toEqual([200, 200, 200]);
    expect(at(1, 10, 10)).toEqual([200, 200, 200]);
    expect(at(1, 80, 80)).toEqual([128, 128, 128]);
    expect(at(2, 10, 10)).toEqual([...ROLE_COLOURS.visible]);
    expect(at(2, 80, 10)).toEqual([...ROLE_COLOURS.retained]);
    expect(at(2, 80, 80)).toEqual([...ROLE_COLOURS.thrown]);
    expect(at(3, 80, 80)).toEqual([60, 60, 60]);
  });

  it('grows with its caption', () => {
    const longer = drawReconstructions([{ original: picture(200), reconstruction: picture(60), plan }], ['raw pixels', 'x'.repeat(120)]);
    expect(longer.height).toBeGreaterThan(canvas.height);
    expect(longer.width).toBeGreaterThanOrEqual(textWidth('x'.repeat(120)));
  });
});
