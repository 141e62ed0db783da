import { CORRUPTIONS } from '@mimlab/data';
import { describe, expect, it } from 'vitest';
import { ALEXNET_CLEAN_ERROR, ALEXNET_ERRORS, ALL_CELLS, summarizeCorruptions, type CellError } from './corruption-error.js';

/** Every corruption at every severity, with an error that follows from both. */
const everywhere = (error: (cell: (typeof ALL_CELLS)[number]) => number): CellError[] => ALL_CELLS.map((cell) => ({ ...cell, error: error(cell) }));

describe('errors of AlexNet', () => {
  it('are there for each of the fifteen corruptions', () => {
    expect(Object.keys(ALEXNET_ERRORS)).toEqual([...CORRUPTIONS]);
    for (const error of Object.values(ALEXNET_ERRORS)) expect(error).toBeGreaterThan(ALEXNET_CLEAN_ERROR);
  });
});

describe('means of errors under corruption', () => {
  it('are one for AlexNet itself, normalised, and the mean of its errors, not normalised', () => {
    const { meanError, mCE, relativeMCE, missing } = summarizeCorruptions(everywhere(({ corruption }) => ALEXNET_ERRORS[corruption]), ALEXNET_CLEAN_ERROR, true);
    expect(mCE).toBeCloseTo(1, 12);
    expect(relativeMCE).toBeCloseTo(1, 12);
    expect(meanError).toBeCloseTo(0.788993, 6);
    expect(missing).toEqual([]);
  });

  it('go over severities first', () => {
    const { corruptions } = summarizeCorruptions(everywhere(({ severity }) => severity / 10), 0.1, true);
    expect(corruptions.fog?.severities).toEqual({ 1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4, 5: 0.5 });
    expect(corruptions.fog?.error).toBeCloseTo(0.3, 12);
    expect(corruptions.fog?.ce).toBeCloseTo(0.3 / 0.819324, 12);
    expect(corruptions.fog?.relativeCE).toBeCloseTo(0.2 / (0.819324 - 0.435), 12);
  });

  it('weigh every corruption alike, however many severities were measured', () => {
    const cells: CellError[] = [
      { corruption: 'fog', severity: 1, error: 0.2 },
      { corruption: 'fog', severity: 5, error: 0.4 },
      { corruption: 'snow', severity: 3, error: 0.9 },
    ];
    const { meanError, mCE, missing, corruptions } = summarizeCorruptions(cells, 0.1, true);
    expect(meanError).toBeCloseTo(0.6, 12);
    expect(mCE).toBeUndefined();
    expect(corruptions.fog?.ce).toBeUndefined();
    expect(missing).toHaveLength(13 + 3 + 4);
    expect(missing).toEqual(expect.arrayContaining(['fog/2', 'snow/1', 'frost']));
    expect(missing).not.toContain('snow/3');
  });

  it('are not compared with AlexNet on other classes than those of ImageNet', () => {
    const { meanError, mCE, relativeMCE, corruptions } = summarizeCorruptions(everywhere(() => 0.5), 0.1, false);
    expect(meanError).toBeCloseTo(0.5, 12);
    expect([mCE, relativeMCE, corruptions.fog?.ce]).toEqual([undefined, undefined, undefined]);
  });
});
