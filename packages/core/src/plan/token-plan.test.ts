import { describe, expect, it } from 'vitest';
import { DataError } from '../errors.js';
import { visibleCount } from './counts.js';
import { checkPlan, countsOf, fullPlan, type TokenPlan } from './token-plan.js';

const grid = { rows: 2, columns: 2 };
const plan = (visible: number[], retained: number[], thrown: number[]): TokenPlan => ({ grid, visible: Int32Array.from(visible), retained: Int32Array.from(retained), thrown: Int32Array.from(thrown) });

describe('checkPlan', () => {
  it('accepts a plan that names every cell once', () => expect(() => checkPlan(plan([3], [0, 2], [1]))).not.toThrow());
  it('refuses a cell outside the grid', () => expect(() => checkPlan(plan([4], [0, 1, 2], []))).toThrow(/plan\.visible: cell 4 lies outside/));
  it('refuses a cell named twice', () => expect(() => checkPlan(plan([1], [1, 2], [3]))).toThrow(/plan\.retained: cell 1 is listed twice/));
  it('refuses a plan that forgets a cell', () => {
    expect(() => checkPlan(plan([0], [1], [3]))).toThrow(/cell 2 is in none of the lists/);
    expect(() => checkPlan(plan([0], [1], [3]))).toThrow(DataError);
  });
});

describe('a plan with repeated cells', () => {
  const repeating = (...repeated: number[]): TokenPlan => ({ ...plan([3, 1], [0], [2]), repeated: Int32Array.from(repeated) });

  it('is accepted when they are visible', () => expect(() => checkPlan(repeating(1))).not.toThrow());
  it('is refused when one is hidden or repeated twice', () => {
    expect(() => checkPlan(repeating(0))).toThrow(/plan\.repeated: cell 0 is not visible/);
    expect(() => checkPlan(repeating(3, 3))).toThrow(/plan\.repeated: cell 3 is not visible, or repeated twice/);
  });
  it('counts them among the retained, so that the sum stays the number of cells', () => {
    expect(countsOf(repeating(1))).toEqual({ visible: 2, retained: 2, thrown: 0, repeats: true });
    expect(countsOf(repeating())).toEqual({ visible: 2, retained: 1, thrown: 1, repeats: true });
  });
});

describe('fullPlan', () => {
  it('shows every cell in raster order', () => {
    expect(Array.from(fullPlan(grid).visible)).toEqual([0, 1, 2, 3]);
    expect(countsOf(fullPlan(grid))).toEqual({ visible: 4, retained: 0, thrown: 0 });
    expect(() => checkPlan(fullPlan(grid))).not.toThrow();
  });
});

describe('visibleCount', () => {
  it('is the count of the paper at 224 pixels', () => expect(visibleCount(196, 0.75)).toBe(49));
  it('rounds down', () => expect(visibleCount(49, 0.75)).toBe(12));
  it('keeps the rounding of double precision that the official code has', () => expect(visibleCount(100, 0.9)).toBe(9));
});
