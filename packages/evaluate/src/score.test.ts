import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binomialError, scoreOf, scoreOfDraws } from './score.js';

describe('a score', () => {
  it('is the share of right answers, with the error of so many coin flips', () => {
    expect(scoreOf(Int32Array.of(1, 2, 0, 0), Int32Array.of(1, 2, 3, 0))).toEqual({ accuracy: 0.75, standardError: Math.sqrt((0.75 * 0.25) / 4) });
  });

  it('has no error where every answer is right or wrong', () => {
    expect(binomialError(1, 10)).toBe(0);
    expect(binomialError(0, 10)).toBe(0);
  });

  it('gets surer with the root of the number of answers', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 0.99, noNaN: true }), fc.integer({ min: 1, max: 1000 }), (share, count) => {
        expect(binomialError(share, 4 * count)).toBeCloseTo(binomialError(share, count) / 2, 10);
      }),
    );
  });
});

describe('the score of several draws', () => {
  it('is their mean, with the variance between them over their number and that of the tests', () => {
    const { accuracy, standardError } = scoreOfDraws([0.4, 0.6], 100);
    expect(accuracy).toBeCloseTo(0.5, 12);
    // Variance between the draws 0.02, over 2 draws; 0.5 * 0.5 / 100 of the tests.
    expect(standardError).toBeCloseTo(Math.sqrt(0.01 + 0.0025), 12);
  });

  it('of one draw has the error of the tests alone', () => {
    expect(scoreOfDraws([0.9], 50).standardError).toBeCloseTo(binomialError(0.9, 50), 12);
  });

  it('never gets surer than the test images allow, however many draws there are', () => {
    expect(scoreOfDraws(Array<number>(1000).fill(0.5), 25).standardError).toBeCloseTo(0.1, 12);
  });
});
