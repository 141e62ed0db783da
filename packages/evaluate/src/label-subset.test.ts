import { ConfigError, DataError } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelledSamples, parseLabelBudget, perClass } from './label-subset.js';

const countOf = (labels: Int32Array, samples: Int32Array, label: number): number => samples.filter((id) => labels[id] === label).length;

describe('a budget of labels', () => {
  it.each([
    ['all', 'all'],
    ['1%', { share: 0.01 }],
    ['12.5%', { share: 0.125 }],
    ['10', { perClass: 10 }],
  ])('reads %s', (text, budget) => {
    expect(parseLabelBudget(text)).toEqual(budget);
  });

  it.each(['', '0', '0%', '101%', '2.5', '-1', 'ten', '%'])('refuses %j', (text) => {
    expect(() => parseLabelBudget(text)).toThrow(ConfigError);
  });
});

describe('labelled samples', () => {
  const labels = Int32Array.from({ length: 130 }, (_, i) => (i < 100 ? 0 : i < 129 ? 1 : 2));

  it('are all of them in their order where all may be used', () => {
    expect([...labelledSamples(labels, 'all', 0)]).toEqual([...labels.keys()]);
  });

  it('are the same share of every class, and at least one', () => {
    const samples = labelledSamples(labels, { share: 0.1 }, 3);
    expect([0, 1, 2].map((label) => countOf(labels, samples, label))).toEqual([10, 3, 1]);
    expect([...samples]).toEqual([...samples].sort((a, b) => a - b));
  });

  it('are so many of every class, or none at all where a class has fewer', () => {
    expect(() => labelledSamples(labels, { perClass: 2 }, 0)).toThrow(DataError);
    expect(labelledSamples(labels.subarray(0, 129), { perClass: 2 }, 0)).toHaveLength(4);
    expect([...labelledSamples(labels.subarray(0, 129), { perClass: 2 }, 5)]).toEqual([...perClass(labels.subarray(0, 129), 2, 5)]);
  });

  it('are others under another seed, the same under the same', () => {
    const of = (seed: number): string => labelledSamples(labels, { share: 0.1 }, seed).join();
    expect(of(1)).toBe(of(1));
    expect(of(1)).not.toBe(of(2));
  });

  it('of a smaller share are among those of a larger one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 0, max: 9 }), (percent, seed) => {
        const larger = new Set(labelledSamples(labels, { share: (percent + 1) / 100 }, seed));
        for (const id of labelledSamples(labels, { share: percent / 100 }, seed)) expect(larger).toContain(id);
      }),
      { numRuns: 30 },
    );
  });
});
