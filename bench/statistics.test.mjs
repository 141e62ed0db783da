import { describe, expect, it } from 'vitest';
import { median, quantile, ratios, ratioSummary, summary } from './statistics.mjs';

describe('quantiles', () => {
  it('lie between neighbours', () => {
    expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([5, 1, 9])).toBe(5);
  });

  it('of one value are that value', () => {
    expect(summary([7])).toEqual({ median: 7, quartiles: [7, 7], range: [7, 7] });
  });

  it('leave the order of their values alone', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('of nothing are refused', () => {
    expect(() => median([])).toThrow('no values');
  });
});

describe('ratios', () => {
  it('are taken round by round, so that a slow round of both changes nothing', () => {
    expect(ratios([1, 10, 1], [2, 20, 2])).toEqual([0.5, 0.5, 0.5]);
    expect(ratioSummary([1, 30, 3], [2, 20, 3])).toEqual({ median: 1, quartiles: [0.75, 1.25], range: [0.5, 1.5] });
  });

  it('of different numbers of rounds are refused', () => {
    expect(() => ratios([1], [1, 2])).toThrow('1 rounds beside 2');
  });
});
