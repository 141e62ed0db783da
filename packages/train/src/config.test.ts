import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { effectiveBatch, peakLr, TrainConfig } from './config.js';

const problems = (value: unknown): string[] => (TrainConfig.safeParse(value).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('section train', () => {
  it('needs nothing: every key has the value of the official recipe', () => {
    expect(TrainConfig.parse({})).toEqual({
      batch: 64,
      accumulate: 1,
      epochs: 800,
      warmupEpochs: 40,
      baseLr: 1.5e-4,
      minLr: 0,
      schedule: 'mae',
      warmupStartFactor: 1e-4,
      weightDecay: 0.05,
      decayRule: 'official',
      betas: [0.9, 0.95],
      eps: 1e-8,
      checkpointEvery: 1000,
      keepCheckpoints: 2,
      logEvery: 10,
    });
  });

  it('refuses a key it does not know', () => {
    expect(TrainConfig.safeParse({ epoch: 3 }).error?.issues[0]).toMatchObject({ code: 'unrecognized_keys', keys: ['epoch'] });
  });

  it('refuses a warm-up as long as the run, and says how to mend it', () => {
    expect(problems({ epochs: 5, warmupEpochs: 5 })).toEqual(['warmupEpochs: warm-up takes 5 of 5 epochs: set it below train.epochs (a tenth is usual)']);
  });

  it('takes milestones with the schedule that has them, and with that one only', () => {
    expect(problems({ schedule: 'simmim-step', milestones: [700], stepFactor: 0.1 })).toEqual([]);
    expect(problems({ schedule: 'simmim-step' })).toEqual(['milestones: the schedule simmim-step needs the epochs at which the rate falls']);
    expect(problems({ milestones: [700], stepFactor: 0.1 })).toEqual([
      'milestones: has no meaning here: it needs schedule: simmim-step',
      'stepFactor: has no meaning here: it needs schedule: simmim-step',
    ]);
  });

  it.each([{ batch: 0 }, { batch: 1.5 }, { accumulate: 0 }, { betas: [0.9, 1] }, { eps: 0 }, { clipNorm: 0 }, { decayRule: 'none' }, { logEvery: 0 }, { lr: -1 }])('refuses %o', (value) => {
    expect(problems(value)).toHaveLength(1);
  });

  it('describes every key in its JSON schema', () => {
    const { properties = {} } = z.toJSONSchema(TrainConfig, { io: 'input' }) as { properties?: Record<string, { description?: string }> };
    expect(Object.entries(properties).filter(([, { description }]) => description === undefined)).toEqual([]);
    expect(Object.keys(properties)).toContain('clipNorm');
  });
});

describe('the peak rate', () => {
  it('is the base rate for 256 images, in proportion to the effective batch', () => {
    const config = TrainConfig.parse({ batch: 64, accumulate: 64, baseLr: 1.5e-4 });
    expect(effectiveBatch(config)).toBe(4096);
    expect(peakLr(config)).toBeCloseTo(2.4e-3, 12);
  });

  it('is the absolute rate where one is given, 0 included', () => {
    expect(peakLr(TrainConfig.parse({ lr: 0.01, baseLr: 1 }))).toBe(0.01);
    expect(peakLr(TrainConfig.parse({ lr: 0, baseLr: 1 }))).toBe(0);
  });
});
