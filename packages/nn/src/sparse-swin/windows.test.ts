import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { windowsOf } from '../swin/windows.js';
import { groupTokens, windowCount, windowPlaces } from './windows.js';

const grid = { rows: 4, columns: 4 };
// The worked example of the specification (section 5.4): ten visible tokens on a 4 x 4 grid, windows of 2.
const visible = Int32Array.of(0, 1, 3, 4, 7, 9, 10, 11, 12, 14);
const slotsOf = (shift: number) => groupTokens(windowPlaces(visible, { grid, window: 2, shift }).windows, 4, 'released');

describe('windows of single tokens', () => {
  it('are squares of the grid, numbered row by row', () => {
    const { windows, positions } = windowPlaces(Int32Array.of(0, 1, 4, 5, 2, 8, 15), { grid, window: 2, shift: 0 });
    expect([...windows]).toEqual([0, 0, 0, 0, 1, 2, 3]);
    expect([...positions]).toEqual([0, 1, 2, 3, 0, 0, 3]);
  });

  it('are smaller at the edges where they are shifted', () => {
    const { windows, positions } = windowPlaces(Int32Array.of(0, 1, 2, 3, 4), { grid, window: 2, shift: 1 });
    expect([...windows]).toEqual([0, 1, 1, 2, 3]);
    expect([...positions]).toEqual([3, 2, 3, 2, 1]);
    expect(windowCount({ grid, window: 2, shift: 1 })).toBe(9);
  });

  it('join exactly the tokens that attend to one another in Swin with its roll and mask', () => {
    fc.assert(
      fc.property(fc.constantFrom([8, 4, 2], [6, 3, 1], [12, 6, 3], [8, 4, 0]), fc.nat(), fc.nat(), ([side, window, shift], first, second) => {
        const square = { rows: side!, columns: side! };
        const [a, b] = [first % side! ** 2, second % side! ** 2];
        const { windows } = windowPlaces(Int32Array.of(a, b), { grid: square, window: window!, shift: shift! });
        const { inverse, mask } = windowsOf(square, window!, shift!);
        const area = window! ** 2;
        const [i, j] = [inverse[a]!, inverse[b]!];
        const together = Math.floor(i / area) === Math.floor(j / area) && (mask === undefined || mask[i * area + (j % area)] === 0);
        expect(windows[0] === windows[1]).toBe(together);
      }),
    );
  });

  it('count those of rectangular grids', () => {
    expect(windowCount({ grid: { rows: 4, columns: 6 }, window: 2, shift: 0 })).toBe(6);
    expect(windowCount({ grid: { rows: 4, columns: 6 }, window: 2, shift: 1 })).toBe(12);
  });
});

describe('groups of tokens', () => {
  it('are those of the worked example, as large as the fullest window', () => {
    expect(slotsOf(0)).toEqual({ size: 3, groups: [[0, 1, 3], [6, 7, 9], [2, 4], [5, 8]] });
    expect(slotsOf(1)).toEqual({ size: 2, groups: [[0, 1], [2, 3], [5, 6], [4, 7], [8, 9]] });
  });

  it('are fewer where they may be as large as a window', () => {
    const { windows } = windowPlaces(visible, { grid, window: 2, shift: 1 });
    expect(groupTokens(windows, 4, 'compact')).toEqual({ size: 4, groups: [[0, 1, 2, 3], [5, 6, 4, 7], [8, 9]] });
  });

  it('hold every token once, windows whole', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(63), { minLength: 1 }), fc.constantFrom(0, 2), fc.constantFrom('released' as const, 'compact' as const), (cells, shift, rule) => {
        const { windows } = windowPlaces(Int32Array.from(cells), { grid: { rows: 8, columns: 8 }, window: 4, shift });
        const { size, groups } = groupTokens(windows, 16, rule);
        expect(groups.flat().sort((a, b) => a - b)).toEqual(cells.map((_, token) => token));
        for (const group of groups) expect(group.length).toBeLessThanOrEqual(size);
        expect(size).toBeLessThanOrEqual(16);
      }),
    );
  });
});
