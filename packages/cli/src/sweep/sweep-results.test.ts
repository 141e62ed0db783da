import { describe, expect, it } from 'vitest';
import type { ExperimentOutcome } from '../grid/experiment.js';
import type { GridRow } from '../grid/run-grid.js';
import { sweepResult } from './sweep-results.js';

const row = { label: 'full', axes: { variant: 'full' }, experiments: [] };

/** A run with a seed: what its evaluations and its pre-training gave. */
function done(seed: number, accuracies: Readonly<Record<string, number>>, pretrain?: { readonly loss: number; readonly seconds: number }): GridRow {
  const evaluations = Object.fromEntries(Object.entries(accuracies).map(([name, accuracy]) => [name, { accuracy }]));
  const outcome = { evaluations, ...(pretrain === undefined ? {} : { pretrain: { folder: '/run', updates: 10, ...pretrain } }) } as unknown as ExperimentOutcome;
  const context = { config: { seed, train: { batch: 8, accumulate: 2 } }, objective: { macs: () => ({ encoder: 2e9, decoder: 5e8 }) } } as unknown as GridRow['context'];
  return { outcome, context };
}

describe('the figures of a row', () => {
  it('are mean and spread of each evaluation over the seeds, and what each seed gave', () => {
    const { evaluations, seeds } = sweepResult(row, [done(0, { knn: 0.4, lin: 0.9 }), done(7, { knn: 0.6, lin: 0.9 })], undefined);
    expect(seeds).toEqual([0, 7]);
    expect(Object.keys(evaluations)).toEqual(['knn', 'lin']);
    expect(evaluations['knn']?.mean).toBeCloseTo(0.5);
    expect(evaluations['knn']?.spread).toBeCloseTo(Math.SQRT2 / 10);
    expect(evaluations['knn']).toMatchObject({ seeds: 2, each: [0.4, 0.6] });
    expect(evaluations['lin']).toMatchObject({ mean: 0.9, spread: 0 });
  });

  it('have no spread with one seed', () => {
    expect(sweepResult(row, [done(0, { knn: 0.4 })], undefined).evaluations['knn']).toEqual({ mean: 0.4, seeds: 1, each: [0.4] });
  });

  it('are loss, time and images of pre-training, and its forward cost', () => {
    const { gmacs, pretrain } = sweepResult(row, [done(0, {}, { loss: 1, seconds: 10 }), done(1, {}, { loss: 3, seconds: 10 })], undefined);
    expect(gmacs).toBe(2.5);
    expect(pretrain).toEqual({ loss: { mean: 2, spread: Math.SQRT2, seeds: 2 }, seconds: { mean: 10, spread: 0, seeds: 2 }, images: 160 });
  });

  it('hold nothing of pre-training for an encoder as it starts', () => {
    const result = sweepResult(row, [done(0, { knn: 0.4 })], undefined);
    expect(result).not.toHaveProperty('pretrain');
    expect(result).not.toHaveProperty('gmacs');
  });

  it('hold the cost of a step where it was measured', () => {
    const cost = { seconds: 1, timeRatio: { median: 1, low: 1, high: 1 }, peakBytes: 2, peakRatio: 1 };
    expect(sweepResult(row, [done(0, {})], cost).cost).toBe(cost);
    expect(sweepResult(row, [done(0, {})], undefined)).not.toHaveProperty('cost');
  });

  it('say which row they are of', () => {
    expect(sweepResult(row, [done(0, {})], undefined)).toMatchObject({ label: 'full', axes: { variant: 'full' }, evaluations: {} });
  });
});
