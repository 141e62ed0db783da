import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orientationBin, orientationEdges } from './orientation-bins.js';

const binOf = (gx: number, gy: number, bins: number): number => orientationBin(gx, gy, orientationEdges(bins));

describe('the bin of a gradient', () => {
  it('counts from the vertical axis', () => {
    expect([binOf(0, 1, 18), binOf(1, 0, 18), binOf(1, 1, 18), binOf(1, -1, 18)]).toEqual([0, 9, 4, 13]);
  });

  it('is the same for a gradient and its opposite', () => {
    fc.assert(
      fc.property(fc.double({ min: -9, max: 9, noNaN: true }), fc.double({ min: -9, max: 9, noNaN: true }), fc.integer({ min: 1, max: 36 }), (gx, gy, bins) => {
        fc.pre(gx !== 0 || gy !== 0);
        expect(binOf(-gx, -gy, bins)).toBe(binOf(gx, gy, bins));
      }),
    );
  });

  it('is that of the arc tangent wherever no edge is near', () => {
    fc.assert(
      fc.property(fc.integer({ min: -2040, max: 2040 }), fc.integer({ min: -2040, max: 2040 }), fc.integer({ min: 1, max: 36 }), (gx, gy, bins) => {
        const position = (Math.atan2(gx, gy) / Math.PI) * bins;
        fc.pre(Math.abs(position - Math.round(position)) > 1e-9);
        expect(binOf(gx, gy, bins)).toBe(((Math.floor(position) % bins) + bins) % bins);
      }),
    );
  });

  it('takes an edge into the bin above it, exactly, wherever whole numbers can lie on one', () => {
    expect([binOf(0, 7, 8), binOf(0, -7, 8)]).toEqual([0, 0]);
    expect([binOf(3, 3, 8), binOf(-3, -3, 8)]).toEqual([2, 2]);
    expect([binOf(3, 0, 8), binOf(-3, 0, 8)]).toEqual([4, 4]);
    expect([binOf(3, -3, 8), binOf(-3, 3, 8)]).toEqual([6, 6]);
  });

  it('is bin 0 where there is no gradient', () => expect(binOf(0, 0, 9)).toBe(0));
});
