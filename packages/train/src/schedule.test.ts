import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSchedule, type ScheduleOptions } from './schedule.js';

const options = (more: Partial<ScheduleOptions> = {}): ScheduleOptions => ({ kind: 'mae', lr: 1, minLr: 0, warmupEpochs: 2, epochs: 10, iterationsPerEpoch: 4, ...more });

const anyOptions = fc
  .record({
    kind: fc.constantFrom('mae' as const, 'mmengine' as const),
    warmupEpochs: fc.integer({ min: 0, max: 5 }),
    more: fc.integer({ min: 1, max: 20 }),
    iterationsPerEpoch: fc.integer({ min: 1, max: 9 }),
    accumulate: fc.integer({ min: 1, max: 4 }),
    minLr: fc.double({ min: 0, max: 0.5, noNaN: true }),
  })
  .map(({ more, ...rest }) => options({ ...rest, epochs: rest.warmupEpochs + more }));

describe('the MAE schedule', () => {
  it('begins with a rate of exactly 0', () => {
    expect(createSchedule(options())(0, 0)).toBe(0);
  });

  it('climbs evenly to the peak and reaches it where the warm-up ends', () => {
    const schedule = createSchedule(options());
    expect([schedule(0, 1), schedule(0, 2), schedule(1, 0), schedule(1, 3), schedule(2, 0)]).toEqual([1 / 8, 2 / 8, 4 / 8, 7 / 8, 1]);
  });

  it('is half way down in the middle of the cosine, above the floor', () => {
    expect(createSchedule(options({ minLr: 0.2 }))(6, 0)).toBeCloseTo(0.6, 12);
  });

  it('begins at the peak without a warm-up', () => {
    expect(createSchedule(options({ warmupEpochs: 0 }))(0, 0)).toBe(1);
  });

  it('changes only where an update begins', () => {
    const schedule = createSchedule(options({ iterationsPerEpoch: 10, accumulate: 4 }));
    const rates = Array.from({ length: 10 }, (_, iteration) => schedule(5, iteration));
    expect(new Set(rates.slice(0, 4)).size).toBe(1);
    expect(rates[4]).toBe(createSchedule(options({ iterationsPerEpoch: 10 }))(5, 4));
    expect(rates[8]).toBe(rates[9]);
    expect(rates[0]).toBeGreaterThan(rates[4] as number);
  });

  it('takes a warm-up of a fraction of an epoch', () => {
    const schedule = createSchedule(options({ warmupEpochs: 0.5 }));
    expect([schedule(0, 0), schedule(0, 1), schedule(0, 2)]).toEqual([0, 0.5, 1]);
  });
});

describe('the schedules of SimMIM', () => {
  const simmim = (more: Partial<ScheduleOptions> = {}): ScheduleOptions => options({ kind: 'simmim-cosine', warmupStartFactor: 0.2, ...more });

  it('use the first rate twice: the scheduler is called behind the optimizer', () => {
    const schedule = createSchedule(simmim());
    expect([schedule(0, 0), schedule(0, 1)]).toEqual([0.2, 0.2]);
    expect(schedule(0, 2)).toBeCloseTo(0.3, 12);
  });

  it('step down where the warm-up ends, since the cosine began with it', () => {
    const schedule = createSchedule(simmim());
    expect(schedule(2, 0)).toBeCloseTo(0.9, 12);
    expect(schedule(2, 1)).toBeCloseTo(0.5 * (1 + Math.cos((Math.PI * 8) / 40)), 12);
  });

  it('fall to the floor, which does not depend on the peak', () => {
    expect(createSchedule(simmim({ minLr: 0.3, epochs: 10 }))(10, 1)).toBeCloseTo(0.3, 12);
  });

  it('fall at milestones only, the iteration after them', () => {
    const schedule = createSchedule(simmim({ kind: 'simmim-step', milestones: [4, 6], stepFactor: 0.5 }));
    expect([schedule(3, 3), schedule(4, 0), schedule(4, 1), schedule(6, 1)]).toEqual([1, 1, 0.5, 0.25]);
    expect(createSchedule(simmim({ kind: 'simmim-step', milestones: [4] }))(4, 1)).toBeCloseTo(0.1, 12);
  });

  it('keep one rate for all micro-batches of an update: that before its first one', () => {
    const plain = createSchedule(simmim());
    const accumulating = createSchedule(simmim({ accumulate: 2 }));
    expect([accumulating(1, 0), accumulating(1, 1)]).toEqual([plain(1, 0), plain(1, 0)]);
    expect(accumulating(1, 3)).toBe(plain(1, 2));
  });
});

describe('the mmengine schedule', () => {
  it('begins at the start factor and reaches the peak at the last iteration of the warm-up', () => {
    const schedule = createSchedule(options({ kind: 'mmengine', warmupStartFactor: 0.1 }));
    expect(schedule(0, 0)).toBeCloseTo(0.1, 12);
    expect(schedule(1, 3)).toBeCloseTo(1, 12);
    expect(schedule(2, 0)).toBe(1);
  });

  it('has a warm-up of one iteration at its peak', () => {
    expect(createSchedule(options({ kind: 'mmengine', warmupEpochs: 1, iterationsPerEpoch: 1 }))(0, 0)).toBe(1);
  });
});

describe('any schedule', () => {
  it('stays between 0 and the peak, and above the floor once the warm-up is over', () => {
    fc.assert(
      fc.property(anyOptions, fc.nat(30), fc.nat(8), (given, epochDraw, iterationDraw) => {
        const epoch = epochDraw % given.epochs;
        const rate = createSchedule(given)(epoch, iterationDraw % given.iterationsPerEpoch);
        expect(rate).toBeGreaterThanOrEqual(epoch < given.warmupEpochs ? 0 : given.minLr - 1e-12);
        expect(rate).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });

  it('never rises after the warm-up', () => {
    fc.assert(
      fc.property(anyOptions, (given) => {
        const schedule = createSchedule(given);
        let before = Infinity;
        for (let epoch = given.warmupEpochs; epoch < given.epochs; epoch++) {
          for (let iteration = 0; iteration < given.iterationsPerEpoch; iteration++) {
            const rate = schedule(epoch, iteration);
            expect(rate).toBeLessThanOrEqual(before + 1e-12);
            before = rate;
          }
        }
      }),
    );
  });
});
