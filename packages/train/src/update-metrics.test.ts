import type { HostTensor } from '@mimlab/core';
import type { StepOutcome } from '@mimlab/engine';
import { describe, expect, it } from 'vitest';
import { createPace } from './pace.js';
import { joinOutcomes, metricsRow } from './update-metrics.js';

const scalar = (value: number): HostTensor => ({ shape: [], dtype: 'float32', data: Float32Array.of(value) });
const idle = { read: 0, decode: 0, augment: 0, plan: 0, host: 0, wait: 0 };
const norms = { paramNorm: scalar(7), updateNorm: scalar(8) };
const outcome = (metrics: Record<string, number>, outputs: Record<string, HostTensor> = {}): StepOutcome => ({ metrics, outputs });

describe('the metrics of an update', () => {
  it('average the loss and its parts over the micro-batches', () => {
    const joined = joinOutcomes([outcome({ loss: 1, gradNorm: 9, retained: 2 }), outcome({ loss: 3, gradNorm: 5, retained: 6 })]);
    expect(joined).toMatchObject({ loss: 2, parts: { retained: 4 } });
  });

  it('take the norms from the micro-batch that applied the update', () => {
    const joined = joinOutcomes([outcome({ loss: 1, gradNorm: 9 }), outcome({ loss: 3, gradNorm: 5 }, norms)]);
    expect(joined).toMatchObject({ gradNorm: 5, paramNorm: 7, updateNorm: 8, parts: {} });
  });

  it('have no norms of parameters and update where they were not asked for', () => {
    expect(joinOutcomes([outcome({ loss: 1, gradNorm: 2 })])).toMatchObject({ paramNorm: NaN, updateNorm: NaN });
  });

  it('make a row with step, rate, pace and memory', () => {
    const metrics = joinOutcomes([outcome({ loss: 1, gradNorm: 2, thrown: 0.5 }, norms)]);
    const row = metricsRow(20, 0.5, metrics, 0.1, { imagesPerSecond: 9, seconds: { data: 1, step: 2 }, loader: { ...idle, augment: 0.5 } });
    expect(row).toMatchObject({ step: 20, epoch: 0.5, loss: 1, parts: { thrown: 0.5 }, lr: 0.1, loader: { augment: 0.5 }, gradNorm: 2, paramNorm: 7, updateNorm: 8, imagesPerSecond: 9 });
    expect(row.memoryMiB).toBeGreaterThan(10);
  });
});

describe('the pace', () => {
  it('is counted from one row to the next', () => {
    let time = 100;
    const pace = createPace(() => time);
    time = 102;
    pace.add('data', 0.5);
    pace.add('step', 1.5);
    pace.images(64);
    expect(pace.rate()).toBe(32);
    expect(pace.waiting()).toBe(0.25);
    // Two workers may decode longer than the clock runs.
    expect(pace.lap({ ...idle, decode: 3, augment: 1, wait: 0.5 })).toEqual({ imagesPerSecond: 32, seconds: { data: 0.5, step: 1.5 }, loader: { ...idle, decode: 1.5, augment: 0.5, wait: 0.25 } });
    time = 103;
    pace.images(10);
    expect(pace.waiting()).toBe(0);
    expect(pace.lap()).toEqual({ imagesPerSecond: 10, seconds: { data: 0, step: 0 } });
  });

  it('is 0 before any time has passed', () => {
    expect(createPace(() => 1).rate()).toBe(0);
    expect(createPace(() => 1).waiting()).toBe(0);
  });
});
