import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allFinite, ConformanceError, ensure, relativeDifference, sameCounts, sameShape, shapeText } from './check.js';

describe('ensure', () => {
  it('is silent where the rule holds, and does not even make the message', () => {
    ensure(true, () => {
      throw new Error('asked for');
    });
  });

  it('throws the message under a name of its own', () => {
    expect(() => {
      ensure(false, () => 'it leaks');
    }).toThrow(new ConformanceError('it leaks'));
    expect(new ConformanceError('x').name).toBe('ConformanceError');
  });
});

describe('the relative difference', () => {
  it('is the largest difference over the largest magnitude of what is expected', () => {
    expect(relativeDifference([1, -4], [1.5, -4])).toBeCloseTo(0.5 / 4);
  });

  it('is measured against 1e-12 where everything expected is smaller', () => {
    expect(relativeDifference([0], [1e-12])).toBe(1);
  });

  it.each([
    ['lengths differ', [1], [1, 2]],
    ['something is missing', [1, 2], [1]],
    ['a value is not a number', [1], [NaN]],
    ['an expected value is not a number', [NaN], [NaN]],
  ])('is infinite where %s', (_what, expected, actual) => {
    expect(relativeDifference(expected, actual)).toBe(Infinity);
  });

  it('is 0 for equal arrays only', () => {
    const values = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(values, fc.nat(4), (array, at) => {
        const changed = array.map((value, i) => (i === at % array.length ? value + 1 : value));
        expect(relativeDifference(array, [...array])).toBe(0);
        expect(relativeDifference(array, changed)).toBeGreaterThan(0);
      }),
    );
  });

  it('does not hang on the scale', () => {
    const values = fc.tuple(fc.double({ noNaN: true, min: 1, max: 1e3 }), fc.double({ noNaN: true, min: 1, max: 1e3 }), fc.double({ noNaN: true, min: 1, max: 1e3 }));
    fc.assert(
      fc.property(values, ([a, b, scale]) => {
        expect(relativeDifference([a * scale], [b * scale])).toBeCloseTo(relativeDifference([a], [b]), 6);
      }),
    );
  });
});

describe('comparisons', () => {
  it('of numbers tell NaN and infinity from the rest', () => {
    expect(allFinite([])).toBe(true);
    expect(allFinite(Float32Array.of(0, -1e30))).toBe(true);
    expect(allFinite([0, NaN])).toBe(false);
    expect(allFinite([-Infinity, 0])).toBe(false);
  });

  it('of shapes look at every side and at how many there are', () => {
    expect(sameShape([2, 3], [2, 3])).toBe(true);
    expect(sameShape([2, 3], [3, 2])).toBe(false);
    expect(sameShape([2], [2, 1])).toBe(false);
    expect(sameShape([], [])).toBe(true);
    expect(shapeText([2, 16, 8])).toBe('[2, 16, 8]');
  });

  it('of counts ignore the order and take no word of repeats for none', () => {
    const counts = { visible: 4, retained: 10, thrown: 2 };
    expect(sameCounts(counts, { thrown: 2, visible: 4, retained: 10 })).toBe(true);
    expect(sameCounts(counts, { ...counts, repeats: true })).toBe(false);
    for (const key of ['visible', 'retained', 'thrown'] as const) expect(sameCounts(counts, { ...counts, [key]: 5 })).toBe(false);
  });
});
