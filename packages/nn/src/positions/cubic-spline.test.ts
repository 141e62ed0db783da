import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splineWeights } from './cubic-spline.js';

const at = (knots: readonly number[], values: readonly number[], place: number): number =>
  (splineWeights(knots, [place])[0] as Float64Array).reduce((sum, weight, i) => sum + weight * (values[i] as number), 0);

const knotLists = fc
  .array(fc.double({ min: 0.2, max: 3, noNaN: true }), { minLength: 3, maxLength: 8 })
  .map((steps) => steps.reduce((knots, step) => [...knots, (knots[knots.length - 1] as number) + step], [-4]));

describe('the cubic spline', () => {
  it('goes through its knots', () => {
    fc.assert(
      fc.property(knotLists, fc.nat(), (knots, seed) => {
        const values = knots.map((_, i) => Math.sin(seed + 3 * i));
        knots.forEach((knot, i) => expect(at(knots, values, knot)).toBeCloseTo(values[i] as number, 9));
      }),
    );
  });

  it('is exact for cubic polynomials: no knot next to an end', () => {
    const cubic = (x: number): number => 0.3 * x ** 3 - x ** 2 + 2 * x - 1;
    fc.assert(
      fc.property(knotLists, fc.double({ min: 0, max: 1, noNaN: true }), (knots, share) => {
        const [first, last] = [knots[0] as number, knots[knots.length - 1] as number];
        const place = first + share * (last - first);
        const tolerance = 1e-8 * Math.max(...knots.map((knot) => Math.abs(cubic(knot))), 1);
        expect(Math.abs(at(knots, knots.map(cubic), place) - cubic(place))).toBeLessThan(tolerance);
      }),
    );
  });

  it('stays at its ends beyond them', () => {
    expect(at([0, 1, 2, 3], [5, 0, 0, 7], -4)).toBeCloseTo(5, 12);
    expect(at([0, 1, 2, 3], [5, 0, 0, 7], 9)).toBeCloseTo(7, 12);
  });

  it('is the polynomial through fewer than four knots', () => {
    expect(at([0, 1, 3], [0, 1, 9], 2)).toBeCloseTo(4, 12);
    expect(at([0, 2], [1, 5], 1)).toBeCloseTo(3, 12);
    expect(at([0], [7], 0)).toBe(7);
  });
});
