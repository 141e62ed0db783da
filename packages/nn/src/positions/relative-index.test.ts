import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { relativeIndex, relativeTableRows } from './relative-index.js';

const grids = fc.record({ rows: fc.integer({ min: 1, max: 5 }), columns: fc.integer({ min: 1, max: 5 }) });

describe('the index of relative positions', () => {
  it('of a window of two is the one that Swin prints', () => {
    expect([...relativeIndex({ rows: 2, columns: 2 }, false)]).toEqual([4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4]);
  });

  it('gives equal offsets equal entries, and others others, all of which occur', () => {
    fc.assert(
      fc.property(grids, (grid) => {
        const cells = grid.rows * grid.columns;
        const index = relativeIndex(grid, false);
        const entryOf = new Map<string, number>();
        for (let i = 0; i < cells; i++) {
          for (let j = 0; j < cells; j++) {
            const offset = `${Math.floor(i / grid.columns) - Math.floor(j / grid.columns)},${(i % grid.columns) - (j % grid.columns)}`;
            const entry = index[i * cells + j] as number;
            expect(entryOf.get(offset) ?? entry).toBe(entry);
            entryOf.set(offset, entry);
          }
        }
        expect([...new Set(entryOf.values())].sort((a, b) => a - b)).toEqual(Array.from({ length: relativeTableRows(grid, false) }, (_, entry) => entry));
      }),
      { numRuns: 30 },
    );
  });

  it('ends with class to patch, patch to class, class to class', () => {
    // One cell: a single offset, then the three.
    expect([...relativeIndex({ rows: 1, columns: 1 }, true)]).toEqual([3, 1, 2, 0]);
    expect(relativeTableRows({ rows: 14, columns: 14 }, true)).toBe(732);
  });
});
