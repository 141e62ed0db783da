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
