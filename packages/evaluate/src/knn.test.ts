import { ConfigError, DataError } from '@mimlab/core';
import { createEagerEngine, type Engine } from '@mimlab/engine';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Features } from './features.js';
import { knnClassify, type KnnOptions } from './knn.js';

let engine: Engine;
beforeAll(async () => {
  engine = await createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' });
});
afterAll(() => {
  engine.dispose();
});

const features = (rows: readonly (readonly number[])[], labels: readonly number[] = rows.map(() => 0)): Features => ({
  values: Float32Array.from(rows.flat()),
  width: rows[0]?.length ?? 0,
  count: rows.length,
  labels: Int32Array.from(labels),
});
const classify = async (given: Partial<KnnOptions> & Pick<KnnOptions, 'train' | 'test'>): Promise<number[]> => [
  ...(await knnClassify({ engine, classes: 3, k: 3, temperature: 0.07, ...given })).predictions,
];

const EAST = [1, 0];
const NORTH = [0, 1];

describe('weighted nearest neighbours', () => {
  it('give the class of the sample in the same direction, whatever its length', async () => {
    const train = features([EAST, NORTH], [1, 2]);
    expect(await classify({ train, test: features([[9, 1], [0.001, 0.1], [-1, 5]]), k: 1 })).toEqual([1, 2, 2]);
  });

  it('let a near neighbour outweigh two far ones when the temperature is low', async () => {
    const train = features([[1, 0.05], [1, 1], [1, 1.1]], [1, 2, 2]);
    const test = features([EAST]);
    expect(await classify({ train, test, temperature: 0.07 })).toEqual([1]);
    expect(await classify({ train, test, temperature: 10 })).toEqual([2]);
  });

  it('ask no more than k neighbours', async () => {
    const train = features([[1, 0.1], [1, 0.2], [1, 0.21]], [1, 2, 2]);
    expect(await classify({ train, test: features([EAST]), k: 1, temperature: 10 })).toEqual([1]);
    expect(await classify({ train, test: features([EAST]), k: 3, temperature: 10 })).toEqual([2]);
  });

  it('ask all there are when there are fewer than k', async () => {
    expect(await classify({ train: features([EAST], [2]), test: features([NORTH]), k: 20 })).toEqual([2]);
  });

  it('prefer the lower of classes with equal votes', async () => {
    expect(await classify({ train: features([EAST, EAST], [2, 1]), test: features([EAST]), k: 2 })).toEqual([1]);
  });

  it('stay finite at a temperature close to 0', async () => {
    expect(await classify({ train: features([[1, 0.2], EAST], [1, 2]), test: features([EAST]), temperature: 1e-4 })).toEqual([2]);
  });

  it('take a feature of zeros as equally far from everything', async () => {
    expect(await classify({ train: features([EAST, NORTH], [1, 2]), test: features([[0, 0]]), k: 2 })).toEqual([1]);
  });

  it('tell the share of right answers and its standard error', async () => {
    const train = features([EAST, NORTH], [0, 1]);
    const test = features([EAST, EAST, NORTH, NORTH], [0, 0, 1, 0]);
    const { accuracy, standardError } = await knnClassify({ engine, train, test, classes: 2, k: 1, temperature: 0.07 });
    expect(accuracy).toBe(0.75);
    expect(standardError).toBeCloseTo(Math.sqrt((0.75 * 0.25) / 4), 12);
  });

  it('agree with votes counted one by one', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: -9, max: 9 }), fc.nat(2)), { minLength: 2, maxLength: 12 }), fc.integer({ min: 1, max: 12 }), async (samples, k) => {
        const rows = samples.map(([x, y]) => [x, y]);
        const all = features(rows, samples.map(([, , label]) => label));
        const cosine = (a: number[], b: number[]): number => ((a[0]! * b[0]! + a[1]! * b[1]!) / Math.hypot(...a)) / Math.hypot(...b);
        const counted = rows.map((row) => {
          const votes = [0, 0, 0];
          const near = rows.map((other, i): [number, number] => [cosine(row, other), i]).sort(([s], [t]) => t - s);
          for (const [similarity, i] of near.slice(0, k)) votes[all.labels[i]!]! += Math.exp(similarity / 0.5);
          return { votes, tied: near.length > k && near[k - 1]![0] - near[k]![0] < 1e-6 };
        });
        const predictions = await classify({ train: all, test: all, k, temperature: 0.5 });
        // Equal similarities at the edge of the neighbourhood may be cut either way by rounding.
        counted.forEach(({ votes, tied }, i) => tied || expect(votes[predictions[i]!]).toBeGreaterThan(Math.max(...votes) - 1e-4));
      }),
      { numRuns: 40 },
    ));
});

describe('features that cannot be compared', () => {
  const fine = features([EAST], [0]);
  it.each([
    ['another width', { test: features([[1, 2, 3]]) }, DataError, 'labelled features have 2 numbers, test features 3'],
    ['no samples', { train: { ...fine, count: 0 } }, DataError, 'there are no samples'],
    ['a label too many', { train: features([EAST], [3]) }, DataError, 'label 3 lies outside the 3 classes'],
    ['a value that is not finite', { test: features([[0, NaN]]) }, DataError, 'feature 1 of sample 0 is NaN'],
    ['labels missing', { train: { ...fine, labels: new Int32Array(0) } }, DataError, 'do not fit'],
    ['k = 0', { k: 0 }, ConfigError, 'k is 0'],
    ['temperature 0', { temperature: 0 }, ConfigError, 'the temperature is 0'],
  ])('%s', async (_, wrong, kind, message) => {
    const run = classify({ train: fine, test: fine, ...wrong });
    await expect(run).rejects.toThrow(kind);
    await expect(run).rejects.toThrow(message);
  });
});
