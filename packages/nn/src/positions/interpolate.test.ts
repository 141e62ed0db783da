import { DataError, type Grid } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpolatePositions } from './interpolate.js';

const side = fc.integer({ min: 1, max: 6 });
const anyGrid: fc.Arbitrary<Grid> = fc.record({ rows: side, columns: side });

describe('interpolating positions', () => {
  it('leaves a table alone that already has the size', () => {
    const table = Float32Array.of(1, 2, 3, 4, 5, 6, 7);
    const grid = { rows: 2, columns: 3 };
    expect([...interpolatePositions(table, { width: 1, from: grid, to: grid, front: 1 })]).toEqual([...table]);
  });

  it('copies the class token and keeps a constant table constant on any grid', () => {
    fc.assert(
      fc.property(anyGrid, anyGrid, (from, to) => {
        const table = new Float32Array((1 + from.rows * from.columns) * 2).fill(3);
        table.set([8, 9]);
        const resized = interpolatePositions(table, { width: 2, from, to, front: 1 });
        expect([...resized.slice(0, 2)]).toEqual([8, 9]);
        expect(resized).toHaveLength((1 + to.rows * to.columns) * 2);
        for (const value of resized.slice(2)) expect(value).toBeCloseTo(3, 5);
      }),
      { numRuns: 50 },
    );
  });

  it('uses the cubic kernel with a = -0.75 and clamped borders', () => {
    // From 4 to 8 columns the second value lies at 0.25: samples -1 (clamped to 0), 0, 1, 2.
    const weights = [-0.10546875, 0.87890625, 0.26171875, -0.03515625];
    const resized = interpolatePositions(Float32Array.of(1, 10, 100, 1000), { width: 1, from: { rows: 1, columns: 4 }, to: { rows: 1, columns: 8 }, front: 0 });
    expect(resized[1]).toBeCloseTo(weights[0]! * 1 + weights[1]! * 1 + weights[2]! * 10 + weights[3]! * 100, 4);
  });

  it('treats rows and columns alike', () => {
    const table = Float32Array.of(1, 5, 2, 8);
    const across = interpolatePositions(table, { width: 1, from: { rows: 1, columns: 4 }, to: { rows: 1, columns: 7 }, front: 0 });
    const down = interpolatePositions(table, { width: 1, from: { rows: 4, columns: 1 }, to: { rows: 7, columns: 1 }, front: 0 });
    expect([...down]).toEqual([...across]);
  });

  it('refuses a table of another size', () => {
    const grid = { rows: 2, columns: 2 };
    expect(() => interpolatePositions(new Float32Array(7), { width: 2, from: grid, to: grid, front: 0 })).toThrow(DataError);
  });
});
