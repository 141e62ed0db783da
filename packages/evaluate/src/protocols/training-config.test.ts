import type { ParamSpecs } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { augmentOf, checkWarmup, parameterCounts, peakRate, probingAugment, scheduleOf, trainingKeys, tuningAugment } from './training-config.js';

const recipe = { batch: 64, accumulate: 4, epochs: 10, warmupEpochs: 2, baseLr: 0.5, minLr: 0.01 };
const Config = z.strictObject(trainingKeys(recipe)).superRefine(checkWarmup);
const problems = (given: object): string[] => (Config.safeParse(given).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('the keys of training', () => {
  it('have the defaults of the recipe', () => {
    expect(Config.parse({})).toEqual({ ...recipe, checkpointEvery: 500 });
  });

  it.each([
    ['batch', 0],
    ['batch', 1.5],
    ['accumulate', 0],
    ['epochs', 0],
    ['warmupEpochs', -1],
    ['baseLr', -0.1],
    ['baseLr', NaN],
    ['lr', Infinity],
    ['minLr', '0'],
    ['checkpointEvery', 0],
  ])('refuse %s: %s, by name', (key, value) => {
    expect(problems({ [key]: value })[0]).toMatch(new RegExp(`^${key}: `));
  });

  it('let a warm-up be no longer than the training, and say which key to change', () => {
    expect(problems({ epochs: 2, warmupEpochs: 1.9 })).toEqual([]);
    expect(problems({ epochs: 2, warmupEpochs: 2 })).toEqual(['warmupEpochs: warm-up takes 2 of 2 epochs: set it below epochs']);
  });
});

describe('the learning rate', () => {
  it('is for 256 images an update, and scaled to those there are', () => {
    expect(peakRate(Config.parse({}))).toBe(0.5);
    expect(peakRate(Config.parse({ batch: 32, accumulate: 1 }))).toBe(0.0625);
  });

  it('is the absolute one where that is given, be it 0', () => {
    expect(peakRate(Config.parse({ lr: 0.3 }))).toBe(0.3);
    expect(peakRate(Config.parse({ lr: 0 }))).toBe(0);
  });

  it('rises linearly from 0 and falls by half a cosine to the least', () => {
    const schedule = scheduleOf(Config.parse({ accumulate: 1, lr: 1 }), 4);
    expect([schedule(0, 0), schedule(1, 0), schedule(2, 0)]).toEqual([0, 0.5, 1]);
    expect(schedule(6, 0)).toBeCloseTo(0.505, 12);
    expect(schedule(9, 3)).toBeLessThan(0.02);
  });

  it('changes where an update begins, not with each of its batches', () => {
    const schedule = scheduleOf(Config.parse({ accumulate: 2, lr: 1 }), 4);
    expect(schedule(0, 3)).toBe(schedule(0, 2));
    expect(schedule(0, 2)).not.toBe(schedule(0, 1));
  });
});

describe('the augmentation', () => {
  const statistics = { mean: [0.5], std: [0.25] };

  it('of probing cuts out 8 % to all of an image, and fine-tuning changes colours and erases besides', () => {
    expect(probingAugment.parse(undefined)).toMatchObject({ kind: 'random-resized-crop', scale: [0.08, 1] });
    expect(tuningAugment.parse(undefined)).toMatchObject({ scale: [0.08, 1], randAugment: 'rand-m9-mstd0.5-inc1', erase: 0.25 });
  });

  it('fills with the mean of the model, and needs none where nothing is changed', () => {
    expect(augmentOf(tuningAugment.parse(undefined), statistics)).toMatchObject({ statistics });
    const none = probingAugment.parse({ kind: 'none' });
    expect(augmentOf(none, statistics)).toEqual(none);
  });
});

it('numbers that learn and numbers that do not are counted apart', () => {
  const spec = (shape: readonly number[], trainable: boolean): ParamSpecs[string] => ({ shape, trainable, layout: { kind: 'same' }, init: () => new Float32Array(0) });
  expect(parameterCounts({ a: spec([2, 3], true), b: spec([], true), c: spec([4], false) })).toEqual({ trained: 7, frozen: 4 });
  expect(parameterCounts({})).toEqual({ trained: 0, frozen: 0 });
});
