import { DataError, randomStream } from '@mimlab/core';
import { createEagerEngine, type Engine } from '@mimlab/engine';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateKnn } from './evaluate-knn.js';
import type { Features } from './features.js';
import { perClass, selectFeatures } from './label-subset.js';
import { scoreOf, scoreOfDraws } from './score.js';

let engine: Engine;
beforeAll(async () => {
  engine = await createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' });
});
afterAll(() => {
  engine.dispose();
});

/** Three directions with noise: many labels tell them apart better than few. */
function noisy(count: number, seed: number, noise: number): Features {
  const random = randomStream(seed, 'test');
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  const values = Float32Array.from({ length: count * 3 }, (_, at) => (at % 3 === (Math.floor(at / 3) % 3) ? 1 : 0) + noise * random.normal());
  return { values, width: 3, count, labels };
}

describe('a subset of labels', () => {
  const labels = Int32Array.from([0, 1, 0, 1, 0, 1, 0, 2, 2]);

  it('has n of each class, ascending, each once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 }), fc.nat(), fc.nat(3), (n, seed, draw) => {
        const chosen = [...perClass(labels, n, seed, draw)];
        expect(chosen).toEqual([...new Set(chosen)].sort((a, b) => a - b));
        for (const label of [0, 1, 2]) expect(chosen.filter((index) => labels[index] === label)).toHaveLength(n);
      }),
    );
  });

  it('is the same for the same seed and draw, and part of a larger one', () => {
    const large = Int32Array.from({ length: 300 }, (_, i) => i % 3);
    expect(perClass(large, 5, 1)).toEqual(perClass(large, 5, 1));
    expect(perClass(large, 5, 1)).not.toEqual(perClass(large, 5, 2));
    expect(perClass(large, 5, 1, 0)).not.toEqual(perClass(large, 5, 1, 1));
    expect([...perClass(large, 9, 1)]).toEqual(expect.arrayContaining([...perClass(large, 5, 1)]));
  });

  it('is refused when a class has too few', () => {
    expect(() => perClass(labels, 3, 0)).toThrow(DataError);
    expect(() => perClass(labels, 3, 0)).toThrow('class 2 has 2 samples, 3 are asked for');
  });

  it('selects rows with their labels', () => {
    const all: Features = { values: Float32Array.of(1, 2, 3, 4, 5, 6), width: 2, count: 3, labels: Int32Array.of(7, 8, 9) };
    expect(selectFeatures(all, Int32Array.of(2, 0))).toEqual({ values: Float32Array.of(5, 6, 1, 2), width: 2, count: 2, labels: Int32Array.of(9, 7) });
  });
});

describe('scores', () => {
  it('have no error where all answers are right', () => {
    expect(scoreOf(Int32Array.of(1, 2), Int32Array.of(1, 2))).toEqual({ accuracy: 1, standardError: 0 });
  });

  it('of one draw carry the chance of the test images alone', () => {
    expect(scoreOfDraws([0.5], 100)).toEqual({ accuracy: 0.5, standardError: 0.05 });
  });

  it('of several draws add the chance of the draws', () => {
    const { accuracy, standardError } = scoreOfDraws([0.4, 0.6], 100);
    expect(accuracy).toBe(0.5);
    expect(standardError).toBeCloseTo(Math.sqrt(0.02 / 2 + 0.05 ** 2), 12);
  });
});

describe('the protocol', () => {
  it('tells accuracies with few labels, draw by draw, and with all', async () => {
    const scores = await evaluateKnn({ engine, train: noisy(300, 1, 0.5), test: noisy(150, 2, 0.5), classes: 3, labelsPerClass: [1, 20], draws: 4, seed: 3 });
    expect(scores.few.map(({ labelsPerClass, draws }) => [labelsPerClass, draws.length])).toEqual([[1, 4], [20, 4]]);
    const [one, twenty] = scores.few;
    expect(one?.accuracy).toBeLessThan(twenty?.accuracy as number);
    expect(scores.all.accuracy).toBeGreaterThan(0.8);
    expect(one?.standardError).toBeGreaterThan(scores.all.standardError);
  });

  it('gives the same numbers again for the same seed', async () => {
    const run = (): ReturnType<typeof evaluateKnn> => evaluateKnn({ engine, train: noisy(60, 1, 1), test: noisy(30, 2, 1), classes: 3, labelsPerClass: [2], draws: 3, seed: 3 });
    expect(await run()).toEqual(await run());
  });

  it('tells all labels alone when few are not asked for', async () => {
    expect(await evaluateKnn({ engine, train: noisy(9, 1, 0), test: noisy(9, 2, 0), classes: 3, seed: 0 })).toEqual({ all: { accuracy: 1, standardError: 0 }, few: [] });
  });
});
