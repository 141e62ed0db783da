import { checkPlan, CompositionError, ConfigError, countsOf, randomStream, type SampleContext, type Sampler } from '@mimlab/core';
import { randomMasking, unitMasking } from '@mimlab/nn';
import { describe, expect, test } from 'vitest';
import { amtCounts, amtSampler, amtThrowSampler, type AmtOptions } from './amt-sampler.js';
import { unitsOf } from './mask-units.js';
import { pickRandom } from './samplers/random.js';
import { throwingSampler } from './throwing-sampler.js';

const grid = { rows: 4, columns: 4 };
const host = randomMasking({ maskRatio: 0.75 });
const options = (more: Partial<AmtOptions> = {}): AmtOptions => ({
  rule: { throw: 0.5, throwBase: 'all', throwRounding: 'floor' },
  subset: false,
  throwUnit: 'token',
  refreshFrom: 40,
  refreshEvery: 40,
  mapCrop: 'crop',
  ...more,
});
const crop = { top: 0, left: 0, height: 8, width: 8, sourceHeight: 8, sourceWidth: 8, flip: false };
const context = (sampleId: number, state?: ArrayLike<number>, more: Partial<SampleContext> = {}): SampleContext => ({
  grid,
  streams: { mask: randomStream(7, 'mask', 0, sampleId), sample: randomStream(7, 'sample', 0, sampleId) },
  sampleId,
  epoch: 41,
  crop,
  ...(state === undefined ? {} : { state: Float32Array.from(state) }),
  ...more,
});
/** Four cells that are attended to, eight that are less, four that hardly are: the roles are nearly certain. */
const falling = Array.from({ length: 16 }, (_, i) => (i < 4 ? 1 : i < 12 ? 1e-3 : 1e-6));
const sorted = (cells: Iterable<number>): number[] => [...cells].sort((a, b) => a - b);

describe('when attention is gathered', () => {
  test.each([
    [40, 40, [41, 81, 121, 161]],
    [0, 1, [1, 2, 3, 4]],
    [2, 5, [3, 8, 13, 18]],
  ])('from epoch %d on every %d: before epochs %j', (refreshFrom, refreshEvery, epochs) => {
    const { state } = amtSampler(host, options({ refreshFrom, refreshEvery }));
    const due = Array.from({ length: 200 }, (_, epoch) => epoch).filter((epoch) => state?.isDueBefore(epoch));
    expect(due.slice(0, 4)).toEqual(epochs);
  });

  test('each sample keeps one weight a token', () => {
    const { state } = amtSampler(host, options());
    expect(state?.width(grid)).toBe(16);
    expect([...(state?.fromAttention(Float32Array.of(0.25, 0.75), 1) ?? [])]).toEqual([0, 1]);
  });
});

describe('AMT with the counts of the other samplers', () => {
  const sampler = amtSampler(host, options());

  test('has the counts of the counting rule, with attention and without', () => {
    expect(sampler.counts(grid)).toEqual(throwingSampler(host, { ...options(), pick: pickRandom }).counts(grid));
    for (let sampleId = 0; sampleId < 20; sampleId++) {
      for (const state of [undefined, falling]) {
        const plan = sampler.sample(context(sampleId, state));
        checkPlan(plan);
        expect(countsOf(plan)).toEqual({ visible: 4, retained: 4, thrown: 8 });
      }
    }
  });

  test('retains what is attended to, throws the middle, and shows the rest', () => {
    const kept = new Float64Array(16);
    const seen = new Float64Array(16);
    for (let sampleId = 0; sampleId < 200; sampleId++) {
      const plan = sampler.sample(context(sampleId, falling));
      for (const cell of plan.retained) kept[cell]!++;
      for (const cell of plan.visible) seen[cell]!++;
    }
    const all = [...kept.keys()];
    expect(all.filter((cell) => (kept[cell] as number) > 190)).toEqual([0, 1, 2, 3]);
    expect(all.filter((cell) => (seen[cell] as number) > 190)).toEqual([12, 13, 14, 15]);
    expect(all.slice(4, 12).every((cell) => (kept[cell] as number) + (seen[cell] as number) < 20)).toBe(true);
  });

  test('lists visible tokens in raster order', () => {
    const { visible } = sampler.sample(context(2, falling));
    expect([...visible]).toEqual(sorted(visible));
  });

  test('follows crop and flip of the image', () => {
    const left = Array.from({ length: 16 }, (_, cell) => (cell % 4 === 0 ? 1 : 1e-6));
    expect(sorted(sampler.sample(context(1, left)).retained)).toEqual([0, 4, 8, 12]);
    expect(sorted(sampler.sample(context(1, left, { crop: { ...crop, flip: true } })).retained)).toEqual([3, 7, 11, 15]);
    // The lower half alone: the attended upper rows do not reach it.
    const upper = Array.from({ length: 16 }, (_, cell) => (cell < 8 ? 1 : cell < 12 ? 1e-3 : 1e-6));
    const lower = sampler.sample(context(1, upper, { crop: { ...crop, top: 4, height: 4 } }));
    expect([...lower.visible].every((cell) => cell >= 8)).toBe(true);
    expect([...lower.retained].every((cell) => cell < 8)).toBe(true);
  });

  test('before attention is known uses the method’s own masks and throws at random', () => {
    const random = throwingSampler(host, { ...options(), pick: pickRandom });
    expect(sampler.sample(context(5))).toEqual(random.sample(context(5)));
  });

  test('at γ 0 and before attention is known is the method itself', () => {
    const none = amtSampler(host, options({ rule: { throw: 0, throwBase: 'all', throwRounding: 'floor' } }));
    expect(none.counts(grid)).toEqual(host.counts(grid));
    expect(none.sample(context(3))).toEqual(host.sample(context(3)));
    expect(countsOf(none.sample(context(3, falling)))).toEqual({ visible: 4, retained: 12, thrown: 0 });
  });

  test('under loss subsetting lists the picks first and throws nothing', () => {
    const subset = amtSampler(host, options({ subset: true }));
    const plan = subset.sample(context(4, falling));
    expect(subset.counts(grid)).toEqual({ visible: 4, retained: 12, thrown: 0 });
    expect(countsOf(plan)).toEqual(subset.counts(grid));
    expect(plan.retained.slice(0, 4)).toEqual(sampler.sample(context(4, falling)).retained);
  });

  test('is a function of its context', () => {
    expect(sampler.sample(context(8, falling))).toEqual(sampler.sample(context(8, falling)));
    expect(sampler.sample(context(8, falling))).not.toEqual(sampler.sample(context(9, falling)));
  });
});

describe('AMT as released', () => {
  const large = { rows: 14, columns: 14 };
  const faithful = { mask: 0.45, throw: 0.4 };

  test('masks 88, throws 78 and shows 30 of 196 tokens', () => {
    expect(amtSampler(host, options({ faithful })).counts(large)).toEqual({ visible: 30, retained: 88, thrown: 78 });
  });

  test('masks 22, throws 13 and shows 14 of the 49 units of SimMIM', () => {
    const blocks = unitMasking({ unit: { rows: 2, columns: 2 }, maskRatio: 0.6 });
    const sampler = amtSampler(blocks, options({ throwUnit: 'mask-unit', faithful: { mask: 0.44, throw: 0.26 } }));
    expect(sampler.counts(large)).toEqual({ visible: 14 * 4, retained: 22 * 4, thrown: 13 * 4 });
    const state = Float32Array.from({ length: 196 }, (_, i) => ((i * 37) % 101) / 101);
    const plan = sampler.sample({ ...context(2, state), grid: large });
    checkPlan(plan);
    expect(countsOf(plan)).toEqual(sampler.counts(large));
    const units = unitsOf(blocks, large, 'mask-unit');
    expect(new Set([...plan.retained].map(units.of)).size).toBe(22);
    expect(new Set([...plan.thrown].map(units.of)).size).toBe(13);
  });

  test('before attention is known masks as the method does and throws nothing', () => {
    const sampler = amtSampler(host, options({ faithful }));
    expect(sampler.sample(context(3))).toEqual(host.sample(context(3)));
    expect(countsOf(sampler.sample(context(3, falling)))).toEqual(sampler.counts(grid));
  });

  test('refuses ratios that leave nothing visible, or retain nothing', () => {
    const units = unitsOf(host, grid, 'token');
    expect(() => amtCounts({ mask: 0.5, throw: 0.5 }, units)).toThrow(ConfigError);
    expect(() => amtCounts({ mask: 0.5, throw: 0.5 }, units)).toThrow(/pr-mim\.amtMaskRatio: AMT with mask ratio 0\.5 and throwing ratio 0\.5 retains 8 and hides 16 of 16 tokens/);
    expect(() => amtCounts({ mask: 0.01, throw: 0.5 }, units)).toThrow(/retains 0/);
  });
});

describe('throwing by attention on top of the method’s masks', () => {
  const sampler = amtThrowSampler(host, options());

  test('leaves the masks alone and retains the attended ones of them', () => {
    for (let sampleId = 0; sampleId < 20; sampleId++) {
      const inner = host.sample(context(sampleId));
      const plan = sampler.sample(context(sampleId, falling.map((_, cell) => (cell % 2 === 0 ? 1 : 1e-6))));
      checkPlan(plan);
      expect(plan.visible).toEqual(inner.visible);
      const attended = [...inner.retained].filter((cell) => cell % 2 === 0).length;
      expect([...plan.retained].filter((cell) => cell % 2 === 0)).toHaveLength(Math.min(4, attended));
    }
  });

  test('throws at random before attention is known', () => {
    expect(sampler.sample(context(5))).toEqual(throwingSampler(host, { ...options(), pick: pickRandom }).sample(context(5)));
  });

  test('throws whole mask units where asked to', () => {
    const blocks = unitMasking({ unit: { rows: 2, columns: 2 }, maskRatio: 0.75 });
    // Units 0 to 3 hold the four quarters; attention falls from the first to the last.
    const quarters = Array.from({ length: 16 }, (_, cell) => Math.pow(1e-4, 2 * Math.floor(cell / 8) + Math.floor((cell % 4) / 2)));
    const byUnit = amtThrowSampler(blocks, options({ throwUnit: 'mask-unit', rule: { throw: 0.5, throwBase: 'all', throwRounding: 'floor' } }));
    expect(byUnit.counts(grid)).toEqual({ visible: 4, retained: 4, thrown: 8 });
    let first = 0;
    for (let sampleId = 0; sampleId < 40; sampleId++) {
      const { retained, visible } = byUnit.sample(context(sampleId, quarters));
      const best = visible.includes(0) ? [2, 3, 6, 7] : [0, 1, 4, 5];
      if (String([...retained]) === String(best)) first++;
    }
    expect(first).toBeGreaterThan(36);
  });
});

describe('what attention cannot be had for', () => {
  const batched: Sampler = { ...host, scope: 'batch' };
  const keeping: Sampler = { ...host, state: { width: () => 1, isDueBefore: () => false, fromAttention: (values) => values } };

  test.each([
    ['amt', (inner: Sampler) => amtSampler(inner, options())],
    ['amt-throw', (inner: Sampler) => amtThrowSampler(inner, options())],
  ] as const)('%s refuses masks of whole batches, and samplers with a state', (_, make) => {
    expect(() => make(batched).counts(grid)).toThrow(CompositionError);
    expect(() => make(batched).counts(grid)).toThrow(/one mask serves the whole batch/);
    expect(() => make(keeping).counts(grid)).toThrow(/keeps a state of its own/);
  });

  test('amt refuses methods whose plans carry more than masks', () => {
    const special: Sampler = { ...host, sample: (given) => ({ ...host.sample(given), aux: { groups: Int32Array.of(1) } }) };
    expect(() => amtSampler(special, options()).sample(context(1))).toThrow(/needs more than the masks of a plan/);
    expect(amtThrowSampler(special, options()).sample(context(1, falling)).aux).toEqual({ groups: Int32Array.of(1) });
  });
});
