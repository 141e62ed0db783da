import { checkPlan, CompositionError, ConfigError, countsOf, randomStream, type Grid, type SampleContext, type Sampler } from '@mimlab/core';
import { randomMasking } from '@mimlab/nn';
import { describe, expect, test } from 'vitest';
import { runningCellSampler } from './running-cell-sampler.js';

const grid = { rows: 14, columns: 14 };
const host = randomMasking({ maskRatio: 0.75 });
const context = (sampleId: number, on: Grid = grid): SampleContext => ({
  grid: on,
  streams: { mask: randomStream(7, 'mask', 0, sampleId), sample: randomStream(7, 'sample', 0, sampleId) },
  sampleId,
  epoch: 0,
  crop: { top: 0, left: 0, height: 32, width: 32, sourceHeight: 32, sourceWidth: 32, flip: false },
});

test('the decoder gets V visible and (1 - ρ) N mask tokens, whatever the image', () => {
  const sampler = runningCellSampler(host, 0.5);
  expect(sampler.counts(grid)).toEqual({ visible: 49, retained: 98, thrown: 49, repeats: true });
  const retained = new Set<number>();
  for (let sampleId = 0; sampleId < 20; sampleId++) {
    const plan = sampler.sample(context(sampleId));
    checkPlan(plan);
    expect(countsOf(plan)).toEqual(sampler.counts(grid));
    retained.add(plan.retained.length);
  }
  expect(retained.size).toBeGreaterThan(3);
});

test.each([
  [0.25, 0, 147],
  [0.5, 73.5, 98],
  [0.75, 36.75, 49],
])('at ρ %d the mask tokens stand in the cells that the pattern keeps, seen or not', (ratio, retainedOnAverage, kept) => {
  const sampler = runningCellSampler(randomMasking({ maskRatio: ratio === 0.25 ? 0.85 : 0.75 }), ratio);
  let sum = 0;
  for (let sampleId = 0; sampleId < 50; sampleId++) {
    const { retained, repeated, thrown } = sampler.sample(context(sampleId));
    const given = [...retained, ...(repeated ?? [])];
    expect(given).toHaveLength(kept);
    // The pattern repeats every second row and column.
    const places = (cells: Iterable<number>): Set<number> => new Set([...cells].map((cell) => 2 * (Math.floor(cell / 14) % 2) + (cell % 2)));
    expect(places(given).size).toBe(4 - 4 * ratio);
    expect([...places(thrown)].some((place) => places(given).has(place))).toBe(false);
    sum += retained.length;
  }
  if (retainedOnAverage > 0) expect(Math.abs(sum / 50 - retainedOnAverage)).toBeLessThan(2);
});

test('masks and their order are the method’s own', () => {
  const inner = host.sample(context(3));
  const plan = runningCellSampler(host, 0.5).sample(context(3));
  expect(plan.visible).toEqual(inner.visible);
  expect(plan.retained).toEqual(inner.retained.filter((cell) => plan.retained.includes(cell)));
});

test('all four phases come about', () => {
  const sampler = runningCellSampler(host, 0.75);
  const places = Array.from({ length: 40 }, (_, id) => sampler.sample(context(id)).retained[0] as number).map((cell) => 2 * (Math.floor(cell / 14) % 2) + (cell % 2));
  expect(new Set(places).size).toBe(4);
});

test('at ρ 0 the method is left as it is', () => {
  const sampler = runningCellSampler(host, 0);
  expect(sampler.counts(grid)).toEqual(host.counts(grid));
  expect(sampler.sample(context(1))).toEqual(host.sample(context(1)));
});

describe('is refused', () => {
  test('where the cell does not tile the grid', () => {
    expect(() => runningCellSampler(host, 0.5).counts({ rows: 4, columns: 5 })).toThrow(CompositionError);
    expect(() => runningCellSampler(host, 0.5).counts({ rows: 4, columns: 5 })).toThrow(/a grid of 4 x 5 tokens cannot be tiled by cells of 2 x 2/);
  });
  test('where it withholds nothing, or saves nothing', () => {
    expect(() => runningCellSampler(host, 0.2).counts(grid)).toThrow(ConfigError);
    expect(() => runningCellSampler(randomMasking({ maskRatio: 0.5 }), 0.5).counts(grid)).toThrow(/nothing would be saved: 98 visible tokens and 98 mask tokens for a grid of 196|may be left without/);
    expect(() => runningCellSampler(host, 0.25).counts(grid)).toThrow(/nothing would be saved/);
  });
  test('where an image may have no retained token', () => {
    expect(() => runningCellSampler(randomMasking({ maskRatio: 0.7 }), 0.75).counts(grid)).toThrow(/may be left without any retained token: 58 visible tokens and 49 mask tokens/);
  });
  test('around a sampler that throws', () => {
    const throwing: Sampler = { ...host, counts: () => ({ visible: 49, retained: 100, thrown: 47 }) };
    expect(() => runningCellSampler(throwing, 0.5).counts(grid)).toThrow(/throws 47 tokens already/);
  });
});
