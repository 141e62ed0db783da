import { describe, expect, it } from 'vitest';
import { compareGradients, type Deviation, type Gradients } from './compare-gradients.js';

const gradients = (a: number[], b: number[] = [0]): Gradients => ({ a: Float32Array.from(a), b: Float32Array.from(b) });
const GROUPS = { all: ['a', 'b'], front: ['a'] };

function deviation(full: Gradients, plans: Gradients[], group: keyof typeof GROUPS = 'all'): Deviation {
  const comparison = compareGradients(full, GROUPS);
  for (const plan of plans) comparison.add(plan);
  return comparison.deviations()[group] as Deviation;
}

describe('the deviation of a gradient', () => {
  it('is none from itself', () => {
    const full = gradients([3, 4]);
    expect(deviation(full, [full, full])).toEqual({ cosine: 1, relativeError: 0, scaleFreeError: 0, bias: 0, spread: 0 });
  });

  it('of a gradient twice as long is all in its length', () => {
    expect(deviation(gradients([3, 4]), [gradients([6, 8])])).toEqual({ cosine: 1, relativeError: 1, scaleFreeError: 0, bias: 1, spread: 0 });
  });

  it('of a gradient at right angles is all in its direction', () => {
    const { cosine, relativeError, scaleFreeError } = deviation(gradients([3, 4]), [gradients([-4, 3])]);
    expect([cosine, scaleFreeError]).toEqual([0, 1]);
    expect(relativeError).toBeCloseTo(Math.SQRT2, 12);
  });

  it('has the scale-free error that is left after the best scaling', () => {
    const { cosine, scaleFreeError } = deviation(gradients([1, 0]), [gradients([2, 2])]);
    expect(cosine).toBeCloseTo(Math.SQRT1_2, 12);
    expect(scaleFreeError).toBeCloseTo(Math.SQRT1_2, 12);
  });

  it('splits into a bias that plans share and a spread between them', () => {
    const { bias, spread, relativeError } = deviation(gradients([2, 0]), [gradients([2, 1]), gradients([4, 1]), gradients([2, -1]), gradients([4, -1])]);
    expect(bias).toBeCloseTo(1 / 2, 12);
    expect(spread).toBeCloseTo(Math.SQRT2 / 2, 12);
    expect(relativeError).toBeCloseTo((1 + Math.sqrt(5)) / 4, 12);
  });

  it('is a mean over plans, not the deviation of their mean', () => {
    const { cosine, bias } = deviation(gradients([1, 0]), [gradients([1, 1]), gradients([1, -1])]);
    expect(cosine).toBeCloseTo(Math.SQRT1_2, 12);
    expect(bias).toBe(0);
  });

  it('reads all parameters of a group as one vector, and each group by itself', () => {
    const plans = [gradients([3, 4], [12])];
    expect(deviation(gradients([3, 4], [0]), plans, 'front').relativeError).toBe(0);
    expect(deviation(gradients([3, 4], [0]), plans).relativeError).toBeCloseTo(12 / 5, 12);
    expect(deviation(gradients([3, 4], [0]), plans).cosine).toBeCloseTo(5 / 13, 12);
  });

  it('has cosine 0 where a method gives no gradient at all', () => {
    expect(deviation(gradients([3, 4]), [gradients([0, 0])])).toMatchObject({ cosine: 0, relativeError: 1 });
  });
});

describe('a comparison', () => {
  it('is refused with a full gradient of zero, naming the group', () => {
    expect(() => compareGradients(gradients([0], [1]), GROUPS)).toThrow(`group 'front'`);
  });

  it('names the parameter that a method has no gradient for', () => {
    const comparison = compareGradients(gradients([1], [1]), GROUPS);
    expect(() => {
      comparison.add({ a: Float32Array.of(1) });
    }).toThrow('b: there is no gradient');
  });
});
