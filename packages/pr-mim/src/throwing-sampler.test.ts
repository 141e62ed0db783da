import { checkPlan, CompositionError, ConfigError, countsOf, randomStream, type SampleContext, type Sampler } from '@mimlab/core';
import { randomMasking, unitMasking } from '@mimlab/nn';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { furthestPicker } from './samplers/furthest.js';
import { pickRandom } from './samplers/random.js';
import { throwingSampler, type ThrowingOptions } from './throwing-sampler.js';

const grid = { rows: 8, columns: 8 };
const host = randomMasking({ maskRatio: 0.75 });
const furthest = furthestPicker({ criterion: 'max-min', anchors: 'masked', tieBreak: 'masked-order', firstToken: 'random' });
const options = (ratio: number, more: Partial<ThrowingOptions> = {}): ThrowingOptions => ({
  rule: { throw: ratio, throwBase: 'all', throwRounding: 'floor' },
  pick: furthest,
  subset: false,
  ...more,
});
const context = (sampleId: number, epoch = 0): SampleContext => ({
  grid,
  streams: { mask: randomStream(7, 'mask', epoch, sampleId), sample: randomStream(7, 'sample', epoch, sampleId) },
  sampleId,
  epoch,
  crop: { top: 0, left: 0, height: 32, width: 32, sourceHeight: 32, sourceWidth: 32, flip: false },
});

test('every plan holds each cell once, with the counts that were promised', () => {
  const ratio = fc.double({ min: 0, max: 0.7, noNaN: true });
  fc.assert(
    fc.property(ratio, fc.nat(1000), fc.boolean(), fc.boolean(), (γ, sampleId, random, subset) => {
      const sampler = throwingSampler(host, options(γ, { subset, ...(random ? { pick: pickRandom } : {}) }));
      const plan = sampler.sample(context(sampleId));
      checkPlan(plan);
      expect(countsOf(plan)).toEqual(sampler.counts(grid));
      expect([...plan.thrown]).toEqual([...plan.thrown].sort((a, b) => a - b));
    }),
  );
});

test('visible tokens and the set of masked ones are the inner sampler’s, whatever picks among them', () => {
  const inner = host.sample(context(3));
  for (const pick of [pickRandom, furthest]) {
    const plan = throwingSampler(host, options(0.5, { pick })).sample(context(3));
    expect(plan.visible).toEqual(inner.visible);
    expect([...plan.retained, ...plan.thrown].sort()).toEqual([...inner.retained].sort());
  }
});

test('pickers differ in what they retain', () => {
  const retained = (pick: typeof furthest): string => throwingSampler(host, options(0.5, { pick })).sample(context(3)).retained.join(' ');
  expect(retained(pickRandom)).not.toBe(retained(furthest));
});

test('a plan depends on its own streams only, not on what was sampled before', () => {
  const sampler = throwingSampler(host, options(0.5));
  const alone = sampler.sample(context(5));
  for (let i = 0; i < 5; i++) sampler.sample(context(i));
  expect(sampler.sample(context(5))).toEqual(alone);
  expect(sampler.sample(context(5, 1))).not.toEqual(alone);
});

test('at γ 0 the plan is the inner one, unchanged', () => {
  expect(throwingSampler(host, options(0)).sample(context(1))).toEqual(host.sample(context(1)));
  expect(throwingSampler(host, options(0, { subset: true })).sample(context(1))).toEqual(host.sample(context(1)));
});

test('subset: nothing thrown, the picks first, then the other masked tokens in their order', () => {
  const plan = throwingSampler(host, options(0.5, { subset: true })).sample(context(2));
  const picks = throwingSampler(host, options(0.5)).sample(context(2)).retained;
  const inner = host.sample(context(2)).retained;
  expect(plan.thrown).toHaveLength(0);
  expect(plan.retained.slice(0, picks.length)).toEqual(picks);
  expect([...plan.retained.slice(picks.length)]).toEqual([...inner].filter((cell) => !picks.includes(cell)));
});

describe('what an inner sampler brings along', () => {
  const special: Sampler = {
    scope: 'batch',
    counts: host.counts,
    sample: (given) => ({ ...host.sample(given), aux: { groups: Int32Array.of(1, 2, 3) } }),
  };
  test('its scope and its auxiliary arrays stay', () => {
    const sampler = throwingSampler(special, options(0.5));
    expect(sampler.scope).toBe('batch');
    expect(sampler.sample(context(1)).aux).toEqual({ groups: Int32Array.of(1, 2, 3) });
    expect(throwingSampler(host, options(0.5)).scope).toBe('image');
  });
  test('a sampler that throws by itself is refused', () => {
    const twice = throwingSampler(throwingSampler(host, options(0.25)), options(0.25));
    expect(() => twice.counts(grid)).toThrow(CompositionError);
    expect(() => twice.counts(grid)).toThrow('throws 16 tokens already');
  });
});

test('a ratio that leaves nothing is refused when the counts are asked for, before any plan', () => {
  expect(() => throwingSampler(host, options(0.75)).counts(grid)).toThrow(ConfigError);
  expect(() => throwingSampler(host, options(0.75)).counts(grid)).toThrow('γ = 0.75 throws 48 tokens');
});

describe('throwing whole mask units', () => {
  const unit = { rows: 2, columns: 2 };
  const blocks = unitMasking({ unit, maskRatio: 0.6 });
  const byUnit = (ratio: number, more: Partial<ThrowingOptions> = {}): Sampler => throwingSampler(blocks, options(ratio, { throwUnit: 'mask-unit', ...more }));
  const unitsIn = (cells: Int32Array): Set<number> => new Set([...cells].map((cell) => Math.floor(cell / 16) * 4 + Math.floor((cell % 8) / 2)));

  test('counts units, and multiplies by their tokens', () => {
    // 16 units: 10 masked, floor(0.3 * 16) = 4 thrown.
    expect(byUnit(0.3).counts(grid)).toEqual({ visible: 24, retained: 24, thrown: 16 });
    expect(throwingSampler(blocks, options(0.3)).counts(grid)).toEqual({ visible: 24, retained: 21, thrown: 19 });
  });

  test('no unit is retained or thrown in part', () => {
    for (const pick of [pickRandom, furthest]) {
      const sampler = byUnit(0.3, { pick });
      for (let sampleId = 0; sampleId < 10; sampleId++) {
        const plan = sampler.sample(context(sampleId));
        checkPlan(plan);
        expect(countsOf(plan)).toEqual(sampler.counts(grid));
        expect([unitsIn(plan.visible).size, unitsIn(plan.retained).size, unitsIn(plan.thrown).size]).toEqual([6, 6, 4]);
      }
    }
  });

  test('furthest sampling spreads units on the grid of units', () => {
    const { retained } = byUnit(0.5).sample(context(4));
    expect(retained).toHaveLength(2 * 4);
    const [first, second] = [...unitsIn(retained)] as [number, number];
    const masked = [...unitsIn(blocks.sample(context(4)).retained)];
    const distance = (a: number, b: number): number => Math.hypot(Math.floor(a / 4) - Math.floor(b / 4), (a % 4) - (b % 4));
    expect(distance(first, second)).toBe(Math.max(...masked.map((other) => distance(first, other))));
  });

  test('masks stay the method’s own', () => {
    const inner = blocks.sample(context(6));
    const plan = byUnit(0.3).sample(context(6));
    expect(plan.visible).toEqual(inner.visible);
    expect([...plan.retained, ...plan.thrown].sort()).toEqual([...inner.retained].sort());
  });

  test('is refused where tokens are masked one by one, or units in part', () => {
    expect(() => throwingSampler(host, options(0.3, { throwUnit: 'mask-unit' })).counts(grid)).toThrow(/pr-mim\.throwUnit: the method masks token by token/);
    const broken: Sampler = { ...blocks, sample: host.sample, counts: () => ({ visible: 16, retained: 48, thrown: 0 }) };
    expect(() => throwingSampler(broken, options(0.3, { throwUnit: 'mask-unit' })).sample(context(1))).toThrow(/a mask unit is hidden in part/);
  });
});
