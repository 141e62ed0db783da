import { describe, expect, it } from 'vitest';
import type { Canvas } from './canvas.js';
import { drawReconstructions, ROLE_COLOURS, type ReconstructionRow } from './reconstruction-grid.js';

const picture = (height: number, width: number, value: number) => ({ height, width, channels: 1, pixels: new Uint8Array(height * width).fill(value) });
const plan = { grid: { rows: 1, columns: 3 }, visible: Int32Array.of(0), retained: Int32Array.of(1), thrown: Int32Array.of(2) };
const row = (height: number, width: number, value: number): ReconstructionRow => ({ original: picture(height, width, value), reconstruction: picture(height, width, value + 1), plan });

/** Counts the pixels of a colour. */
const count = ({ pixels }: Canvas, [red, green, blue]: readonly number[]): number => {
  let found = 0;
  for (let at = 0; at < pixels.length; at += 3) if (pixels[at] === red && pixels[at + 1] === green && pixels[at + 2] === blue) found++;
  return found;
};
const grey = (value: number): readonly number[] => [value, value, value];

describe('the picture of reconstructions', () => {
  it('shows each original whole, its visible third again, and its reconstruction', () => {
    const canvas = drawReconstructions([row(6, 120, 60)], []);
    expect(count(canvas, grey(60))).toBe(6 * 120 + 6 * 40);
    expect(count(canvas, grey(61))).toBe(6 * 120);
  });

  it('has a map of roles, and a sample of each in its legend', () => {
    const canvas = drawReconstructions([row(6, 120, 60)], []);
    for (const colour of Object.values(ROLE_COLOURS)) expect(count(canvas, colour)).toBe(6 * 40 + 7 * 7);
  });

  it('enlarges small images by whole numbers and leaves large ones as they are', () => {
    expect(count(drawReconstructions([row(5, 50, 60)], []), grey(61))).toBe(15 * 150);
    expect(count(drawReconstructions([row(5, 300, 60)], []), grey(61))).toBe(5 * 300);
  });

  it('puts rows under each other in their order', () => {
    const [one, two] = [drawReconstructions([row(6, 120, 60)], []), drawReconstructions([row(6, 120, 60), row(6, 120, 90)], [])];
    expect(two.height - one.height).toBe(6 + 6);
    expect(two.width).toBe(one.width);
    expect(two.pixels.indexOf(61)).toBeLessThan(two.pixels.indexOf(91));
  });

  it('leaves no cell of the map white where cells are no whole number of pixels', () => {
    const odd = { ...row(5, 113, 60), plan: { ...plan, grid: { rows: 1, columns: 3 } } };
    const canvas = drawReconstructions([odd], []);
    const inMap = Object.values(ROLE_COLOURS).reduce((sum, colour) => sum + count(canvas, colour), 0);
    expect(inMap).toBe(5 * 113 + 3 * 7 * 7);
  });
});
