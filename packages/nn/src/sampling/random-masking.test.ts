import { checkPlan, ConfigError, randomStream, type SampleContext } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderFromNoise, randomMasking } from './random-masking.js';

const crop = { top: 0, left: 0, height: 8, width: 8, sourceHeight: 8, sourceWidth: 8, flip: false };
const contextOf = (rows: number, columns: number, seed: number): SampleContext => ({
  grid: { rows, columns },
  streams: { mask: randomStream(seed, 'mask'), sample: randomStream(seed, 'sample') },
  sampleId: 0,
  epoch: 0,
  crop,
});

describe('the order of noise', () => {
  it('is ascending, and by id where noise is equal', () => {
    expect([...orderFromNoise([0.5, 0.1, 0.5, 0.3])]).toEqual([1, 3, 0, 2]);
  });
});

describe('the order of noise of any kind', () => {
  const noises = { any: fc.array(fc.double({ noNaN: true }), { maxLength: 40 }), unit: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }), equal: fc.array(fc.constantFrom(0, 0.25, 0.5), { maxLength: 40 }) };
  it.each(Object.entries(noises))('is that of sorting by noise, then id (%s)', (_, noise) => {
    fc.assert(
      fc.property(noise, (values) => {
        const sorted = values.map((_value, id) => id).sort((a, b) => (values[a] === values[b] ? a - b : (values[a] as number) < (values[b] as number) ? -1 : 1));
        expect([...orderFromNoise(values)]).toEqual(sorted);
      }),
    );
  });
});

describe('random masking', () => {
  it('makes a whole plan of the counts it announces, on any grid', () => {
    const side = fc.integer({ min: 1, max: 7 });
    fc.assert(
      fc.property(side, side, fc.double({ min: 0.01, max: 0.99, noNaN: true }), fc.nat(), (rows, columns, maskRatio, seed) => {
        const visible = Math.floor(rows * columns * (1 - maskRatio));
        fc.pre(visible >= 1 && visible < rows * columns);
        const sampler = randomMasking({ maskRatio });
        const plan = sampler.sample(contextOf(rows, columns, seed));
        checkPlan(plan);
        expect(sampler.counts(plan.grid)).toEqual({ visible, retained: rows * columns - visible, thrown: 0 });
        expect([plan.visible.length, plan.retained.length, plan.thrown.length]).toEqual([visible, rows * columns - visible, 0]);
      }),
      { numRuns: 60 },
    );
  });

  it('shows the tokens of least noise, in noise order, and hides the rest in noise order', () => {
    const noise = [0.9, 0.2, 0.6, 0.1];
    let drawn = 0;
    const mask = { ...randomStream('unused'), uniform: () => noise[drawn++] as number };
    const context = contextOf(2, 2, 0);
    const plan = randomMasking({ maskRatio: 0.5 }).sample({ ...context, streams: { ...context.streams, mask } });
    expect([[...plan.visible], [...plan.retained]]).toEqual([[3, 1], [2, 0]]);
  });

  it('counts in double precision: 100 tokens at 0.9 keep 9', () => {
    expect(randomMasking({ maskRatio: 0.9 }).counts({ rows: 10, columns: 10 }).visible).toBe(9);
  });

  it('depends on the mask stream alone', () => {
    const sampler = randomMasking({ maskRatio: 0.75 });
    const context = contextOf(4, 4, 1);
    const other = { ...contextOf(4, 4, 1), streams: { mask: randomStream(1, 'mask'), sample: randomStream(2) } };
    expect(sampler.sample(other)).toEqual(sampler.sample(context));
    expect(sampler.sample(contextOf(4, 4, 2)).visible).not.toEqual(sampler.sample(contextOf(4, 4, 1)).visible);
  });

  it.each([
    [0, /leaves no token masked/],
    [1, /leaves no token visible/],
    [0.99, /leaves no token visible/],
  ])('refuses a mask ratio of %d on 16 tokens', (maskRatio, message) => {
    expect(() => randomMasking({ maskRatio }).counts({ rows: 4, columns: 4 })).toThrow(ConfigError);
    expect(() => randomMasking({ maskRatio }).counts({ rows: 4, columns: 4 })).toThrow(message);
  });
});
