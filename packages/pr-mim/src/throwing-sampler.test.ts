import { checkPlan, CompositionError, ConfigError, countsOf, randomStream, type SampleContext, type Sampler } from '@mimlab/core';
import { randomMasking } from '@mimlab/nn';
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
