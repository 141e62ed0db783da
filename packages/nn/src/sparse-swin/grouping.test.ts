import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { vitBlockMacs } from '../cost/vit.js';
import { bestFill, cheapestGroups, groupWindows } from './grouping.js';

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const windows = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 });

/** Every subset tried: the total that a knapsack must reach. */
function largestTotal(capacity: number, sizes: readonly number[]): number {
  let largest = 0;
  for (let subset = 0; subset < 2 ** sizes.length; subset++) {
    const total = sum(sizes.filter((_, i) => (subset >> i) & 1));
    if (total <= capacity) largest = Math.max(largest, total);
  }
  return largest;
}

describe('the fullest choice of windows', () => {
  it('reaches the largest total that any choice reaches', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), windows, (capacity, sizes) => {
        expect(sum(bestFill(capacity, sizes).map((i) => sizes[i] as number))).toBe(largestTotal(capacity, sizes));
      }),
    );
  });

  it('leaves later windows out where it can', () => {
    // 5 is reached by {5} and by {3, 2}; windows 3 and 2 can be left out, window 1 cannot.
    expect(bestFill(5, [3, 5, 2, 4])).toEqual([1]);
    expect(bestFill(4, [4, 4])).toEqual([0]);
  });

  it('is empty where nothing fits', () => {
    expect(bestFill(2, [3, 4])).toEqual([]);
    expect(bestFill(2, [])).toEqual([]);
  });
});

describe('groups of windows', () => {
  it.each([
    [[3, 5, 2, 4], [[1], [0, 2], [3]]],
    [[7, 3, 4, 4, 3, 7], [[0], [1, 2], [3, 4], [5]]],
    [[6, 5, 4, 3, 2, 1], [[0], [2, 4], [1, 5], [3]]],
    [[1, 2, 3, 4, 5, 6], [[0, 1, 2], [5], [4], [3]]],
    [[16, 1, 1], [[0], [1, 2]]],
  ])('of %j tokens are the worked examples of the specification', (occupancies, groups) => {
    expect(groupWindows(Math.max(...occupancies), occupancies)).toEqual(groups);
  });

  it('hold every window once, none beyond the capacity, fullest groups first', () => {
    fc.assert(
      fc.property(windows, fc.nat(20), (occupancies, spare) => {
        const capacity = Math.max(...occupancies) + spare;
        const groups = groupWindows(capacity, occupancies);
        expect(groups.flat().sort((a, b) => a - b)).toEqual(occupancies.map((_, window) => window));
        const fills = groups.map((group) => sum(group.map((window) => occupancies[window] as number)));
        expect(Math.max(...fills)).toBeLessThanOrEqual(capacity);
        expect(fills).toEqual([...fills].sort((a, b) => b - a));
        for (const group of groups) expect(group).toEqual([...group].sort((a, b) => a - b));
      }),
    );
  });

  it('need at most twice the groups that full ones would need, and one', () => {
    // Any two groups together hold more than the capacity, else the first would have taken the second.
    fc.assert(
      fc.property(windows, (occupancies) => {
        const capacity = Math.max(...occupancies);
        expect(groupWindows(capacity, occupancies).length).toBeLessThanOrEqual(2 * Math.ceil(sum(occupancies) / capacity));
      }),
    );
  });

  it('are refused for an empty window, which would never be placed', () => {
    expect(() => groupWindows(4, [3, 0])).toThrow(/window 1: a window of 0 tokens cannot be put into groups of 4/);
  });

  it('are refused for a window larger than a group', () => {
    expect(() => groupWindows(4, [5])).toThrow(/window 0: a window of 5 tokens/);
  });
});

describe('groups of the cheapest size', () => {
  const blockCost = (width: number) => (size: number) => vitBlockMacs(size, width);

  it('are those of the worked example', () => {
    // Width 1: 12 G + 2 G^2 a group. Three groups of 3 cost 3 * 54 = 162, two of 4 cost 2 * 80 = 160, two of 5 cost 2 * 110 = 220.
    expect(cheapestGroups([3, 2, 2, 1], blockCost(1))).toEqual({ size: 4, groups: [[1, 2], [0, 3]] });
  });

  it('are those of the fullest window where larger ones save no group', () => {
    // One group of 8 would cost 224, against 2 * 80.
    expect(cheapestGroups([4, 4], blockCost(1))).toEqual({ size: 4, groups: [[0], [1]] });
  });

  it('cost no more than the published example, which takes 11 groups of 21 to 7 of 28', () => {
    const occupancies = [3, 21, 12, 16, 21, 7, 8, 12, 16, 5, 3, 12, 7, 21, 12, 4, 12];
    const costAt = (size: number): number => groupWindows(size, occupancies).length * blockCost(128)(size);
    expect([21, 28].map((size) => (costAt(size) / 1e6).toFixed(1))).toEqual(['46.7', '39.9']);
    const { size, groups } = cheapestGroups(occupancies, blockCost(128));
    expect(groups.length * blockCost(128)(size)).toBeLessThanOrEqual(costAt(28));
  });

  it('are as cheap as a search through all sizes finds, and the smallest of these', () => {
    fc.assert(
      fc.property(windows, fc.integer({ min: 1, max: 8 }), (occupancies, width) => {
        const tokens = sum(occupancies);
        const fullest = Math.max(...occupancies);
        const costs = Array.from({ length: tokens - fullest + 1 }, (_, i) => groupWindows(fullest + i, occupancies).length * blockCost(width)(fullest + i));
        const { size, groups } = cheapestGroups(occupancies, blockCost(width));
        expect(size).toBe(fullest + costs.indexOf(Math.min(...costs)));
        expect(groups).toEqual(groupWindows(size, occupancies));
      }),
    );
  });
});
