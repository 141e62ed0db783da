import { CheckpointError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { geometricOffsets, resizeRelativeTable } from './relative-resize.js';

const square = (side: number): { rows: number; columns: number } => ({ rows: side, columns: side });
const ratioOf = (source: number, target: number): number => {
  const offsets = geometricOffsets(2 * source - 1, 2 * target - 1);
  return (offsets[offsets.length - 1] as number) - (offsets[offsets.length - 2] as number);
};

describe('offsets of a table that is stretched', () => {
  it.each([
    [6, 7, 1.091281],
    [12, 14, 1.032893],
    [6, 12, 1.402629],
  ])('from windows of %d to %d their steps grow by %d', (source, target, ratio) => {
    // The outermost step is ratio^(half - 1).
    expect(ratioOf(source, target) ** (1 / (source - 2))).toBeCloseTo(ratio, 5);
  });

  it('lie symmetrically about 0 and reach the outermost offset of the target', () => {
    const offsets = geometricOffsets(11, 13);
    expect(offsets[5]).toBe(0);
    expect(offsets.map((offset) => -offset).reverse()).toEqual(offsets.map((offset) => (offset === 0 ? -0 : offset)));
    expect(offsets[10]).toBeCloseTo(6, 4);
  });
});

describe('a resized table of relative positions', () => {
  const table = (rows: number, heads: number): Float32Array => Float32Array.from({ length: rows * heads }, (_, i) => Math.sin(i));

  it('of the same size is the same', () => {
    expect(resizeRelativeTable(table(25, 2), square(3), square(3), 2, false)).toEqual(table(25, 2));
  });

  it('keeps constants, each head its own, and the offset 0', () => {
    const flat = Float32Array.from({ length: 2 * 49 }, (_, i) => (i % 2 === 0 ? 3 : -1));
    const out = resizeRelativeTable(flat, square(4), square(6), 2, false);
    expect(out).toHaveLength(2 * 121);
    out.forEach((value, i) => expect(value).toBeCloseTo(i % 2 === 0 ? 3 : -1, 5));
    const any = table(49, 1);
    expect(resizeRelativeTable(any, square(4), square(6), 1, false)[60]).toBeCloseTo(any[24] as number, 5);
  });

  it('carries the rows of a class token over', () => {
    const from = table(25 + 3, 1);
    expect([...resizeRelativeTable(from, square(3), square(4), 1, true).subarray(-3)]).toEqual([...from.subarray(-3)]);
  });

  it('may stretch one side alone', () => {
    const rows = Float32Array.from({ length: 5 * 7 }, (_, i) => Math.floor(i / 7));
    const out = resizeRelativeTable(rows, { rows: 3, columns: 4 }, { rows: 3, columns: 6 }, 1, false);
    expect(out).toHaveLength(5 * 11);
    // Constant along rows, as before; the other side keeps its offsets but for the geometric steps.
    for (let y = 0; y < 5; y++) for (let x = 1; x < 11; x++) expect(out[y * 11 + x]).toBeCloseTo(out[y * 11] as number, 5);
  });

  it('is refused for a grid that the table does not belong to', () => {
    expect(() => resizeRelativeTable(table(25, 1), square(4), square(5), 1, false)).toThrow(CheckpointError);
    expect(() => resizeRelativeTable(table(25, 1), square(3), square(4), 1, true)).toThrow(/25 relative positions does not belong to 3 x 3 tokens, which have 28/);
  });
});
