import { checkPlan, ConfigError, randomStream, type SampleContext } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellsOfUnit, planOfUnits, unitGrid, unitMasking } from './unit-masking.js';

const contextOf = (rows: number, columns: number, seed: number): SampleContext => ({
  grid: { rows, columns },
  streams: { mask: randomStream(seed, 'mask'), sample: randomStream(seed, 'sample') },
  sampleId: 0,
  epoch: 0,
  crop: { top: 0, left: 0, height: 8, width: 8, sourceHeight: 8, sourceWidth: 8, flip: false },
});
const grid = { rows: 4, columns: 6 };
const unit = { rows: 2, columns: 3 };

describe('units of a grid', () => {
  it('are numbered in raster order, as their cells are', () => {
    expect(unitGrid(grid, unit)).toEqual({ rows: 2, columns: 2 });
    expect(cellsOfUnit(grid, unit, 1)).toEqual([3, 4, 5, 9, 10, 11]);
    expect(cellsOfUnit(grid, unit, 2)).toEqual([12, 13, 14, 18, 19, 20]);
  });

  it('are hidden whole, unit by unit; what is visible stays in raster order', () => {
    const plan = planOfUnits(grid, { rows: 2, columns: 2 }, Int32Array.of(4, 0, 5, 3, 2, 1), 2);
    expect([...plan.retained]).toEqual([14, 15, 20, 21, 0, 1, 6, 7]);
    expect([...plan.visible]).toEqual([2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19, 22, 23]);
  });
});

describe('unit masking', () => {
  it('makes a whole plan of the counts it announces', () => {
    const side = fc.integer({ min: 1, max: 3 });
    fc.assert(
      fc.property(side, side, side, side, fc.double({ min: 0.01, max: 0.99, noNaN: true }), fc.nat(), (down, across, rows, columns, maskRatio, seed) => {
        const units = down * across;
        fc.pre(Math.ceil(units * maskRatio) < units);
        const sampler = unitMasking({ unit: { rows, columns }, maskRatio });
        const plan = sampler.sample(contextOf(down * rows, across * columns, seed));
        checkPlan(plan);
        const masked = Math.ceil(units * maskRatio) * rows * columns;
        expect(sampler.counts(plan.grid)).toEqual({ visible: units * rows * columns - masked, retained: masked, thrown: 0 });
        expect(plan.retained).toHaveLength(masked);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [224, 16, 120],
    [192, 4, 1408],
  ])('hides as many tokens of %d pixels in patches of %d as the released recipe: %d', (image, patch, masked) => {
    const side = image / patch;
    expect(unitMasking({ unit: { rows: 32 / patch, columns: 32 / patch }, maskRatio: 0.6 }).counts({ rows: side, columns: side }).retained).toBe(masked);
  });

  it('rounds up in double precision, as the official code: 0.07 of 100 units are 8', () => {
    expect(unitMasking({ unit: { rows: 1, columns: 1 }, maskRatio: 0.07 }).counts({ rows: 10, columns: 10 }).retained).toBe(8);
  });

  it('hides as many units as it is told to', () => {
    const hidden = (units: number, ratio: number): number => Math.trunc(units * ratio) + 1;
    const sampler = unitMasking({ unit: { rows: 1, columns: 1 }, maskRatio: 0.75, hidden });
    expect(sampler.counts({ rows: 7, columns: 7 })).toEqual({ visible: 12, retained: 37, thrown: 0 });
  });

  it('orders hidden tokens by the mask stream: units first, one shuffle of their tokens after that', () => {
    const stream = randomStream(3, 'mask');
    const order = stream.permutation(4);
    const hidden = planOfUnits(grid, unit, order, 2).retained;
    const shuffled = [...stream.permutation(12)].map((place) => hidden[place]);
    expect([...unitMasking({ unit, maskRatio: 0.5 }).sample(contextOf(4, 6, 3)).retained]).toEqual(shuffled);
  });

  it('says what its units are', () => {
    expect(unitMasking({ unit, maskRatio: 0.5 }).unit?.(grid)).toEqual(unit);
  });

  it('refuses units that do not tile the grid, and ratios that leave nothing visible', () => {
    expect(() => unitMasking({ unit, maskRatio: 0.5 }).counts({ rows: 4, columns: 4 })).toThrow(/units of 2 x 3 tokens do not tile a grid of 4 x 4/);
    expect(() => unitMasking({ unit, maskRatio: 0.9 }).counts(grid)).toThrow(ConfigError);
    expect(() => unitMasking({ unit, maskRatio: 0.9 }).counts(grid)).toThrow(/hides all 4 units/);
  });
});
