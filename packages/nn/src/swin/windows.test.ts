import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockWindow, windowsOf } from './windows.js';

const layouts = fc
  .record({ side: fc.integer({ min: 1, max: 4 }), down: fc.integer({ min: 1, max: 3 }), across: fc.integer({ min: 1, max: 3 }), shifted: fc.boolean() })
  .map(({ side, down, across, shifted }) => ({ side, shift: shifted ? Math.floor(side / 2) : 0, grid: { rows: side * down, columns: side * across } }));

describe('windows', () => {
  it('of two on a grid of 2 x 4 hold the left and the right half', () => {
    const { order, count, mask } = windowsOf({ rows: 2, columns: 4 }, 2, 0);
    expect([...order]).toEqual([0, 1, 4, 5, 2, 3, 6, 7]);
    expect([count, mask]).toEqual([2, undefined]);
  });

  it('shifted by one take their tokens from below and the right, around the edge', () => {
    const { order } = windowsOf({ rows: 4, columns: 4 }, 2, 1);
    expect([...order.subarray(0, 4)]).toEqual([5, 6, 9, 10]);
    expect([...order.subarray(12)]).toEqual([15, 12, 3, 0]);
  });

  it('list every cell once, and know its place', () => {
    fc.assert(
      fc.property(layouts, ({ grid, side, shift }) => {
        const { order, inverse, count } = windowsOf(grid, side, shift);
        expect(count * side * side).toBe(grid.rows * grid.columns);
        expect([...order].map((cell) => inverse[cell])).toEqual([...order.keys()]);
      }),
    );
  });

  it('let exactly those tokens attend to each other that share a window of the grid that is not rolled', () => {
    fc.assert(
      fc.property(layouts, ({ grid, side, shift }) => {
        const { order, mask } = windowsOf(grid, side, shift);
        const area = side * side;
        const offset = (side - shift) % side;
        const idOf = (cell: number): string => `${Math.floor((Math.floor(cell / grid.columns) + offset) / side)},${Math.floor(((cell % grid.columns) + offset) / side)}`;
        for (let window = 0; window * area < order.length; window++) {
          for (let i = 0; i < area; i++) {
            for (let j = 0; j < area; j++) {
              const [query, key] = [order[window * area + i] as number, order[window * area + j] as number];
              expect(mask?.[(window * area + i) * area + j] ?? 0).toBe(idOf(query) === idOf(key) ? 0 : -100);
            }
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('the window of a block', () => {
  it('is shifted by half in every other block', () => {
    expect([0, 1, 2].map((block) => blockWindow({ rows: 14, columns: 14 }, 7, block))).toEqual([
      { side: 7, shift: 0 },
      { side: 7, shift: 3 },
      { side: 7, shift: 0 },
    ]);
  });

  it('is the whole grid, never shifted, where the grid is no larger', () => {
    for (const rows of [6, 7]) expect(blockWindow({ rows, columns: rows }, 7, 1)).toEqual({ side: rows, shift: 0 });
  });
});
