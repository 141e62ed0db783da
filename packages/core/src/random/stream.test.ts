import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomStream, type RandomStream } from './stream.js';

const draws = (stream: RandomStream, count: number): number[] => Array.from({ length: count }, () => stream.uniform());
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

const KNOWN = {
  uniform: [0.472932898258718, 0.9336983293092801, 0.87920888086403],
  permutation: [7, 6, 0, 1, 3, 4, 2, 5],
  normal: -1.6594432111560549,
};

describe('a stream', () => {
  it('gives known values: a change here changes every run that was ever made', () => {
    const stream = randomStream(0, 'mask', 3, 17);
    expect(draws(stream, 3)).toEqual(KNOWN.uniform);
    expect(Array.from(randomStream('order').permutation(8))).toEqual(KNOWN.permutation);
    expect(randomStream(1).normal()).toBe(KNOWN.normal);
  });

  it('is the same for the same labels', () => {
    const labels = fc.array(fc.oneof(fc.string(), fc.integer()), { maxLength: 4 });
    fc.assert(
      fc.property(labels, (list) => {
        expect(draws(randomStream(...list), 4)).toEqual(draws(randomStream(...list), 4));
      }),
    );
  });

  it('differs for labels that differ', () => {
    const all = [[0], [1], ['0'], ['a', 'b'], ['ab'], ['b', 'a'], ['a', 'b', ''], [0, 'mask', 1], [0, 'mask', 2], [1, 'mask', 1], [-1], [0.5], []];
    const firsts = all.map((labels) => randomStream(...labels).uniform());
    expect(new Set(firsts).size).toBe(all.length);
  });

  it('has no twin among many samples of one run', () => {
    const firsts = Array.from({ length: 20_000 }, (_, id) => randomStream(7, 'mask', 0, id).uniform());
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  it('forks as if the labels had been given at once, without being moved', () => {
    const stream = randomStream(5, 'augment');
    stream.uniform();
    const expected = draws(randomStream(5, 'augment'), 3)[1];
    expect(draws(stream.fork(2), 3)).toEqual(draws(randomStream(5, 'augment', 2), 3));
    expect(stream.uniform()).toBe(expected);
  });
});

describe('draws', () => {
  it('are uniform in [0, 1)', () => {
    const values = draws(randomStream('uniformity'), 40_000);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(mean(values)).toBeCloseTo(0.5, 1);
    const counts = new Array<number>(16).fill(0);
    for (const value of values) counts[Math.floor(value * 16)]! += 1;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 2500) ** 2 / 2500, 0);
    // 15 degrees of freedom: 37.7 is passed once in a thousand.
    expect(chiSquare).toBeLessThan(37.7);
  });

  it('of neighbouring streams do not go together', () => {
    const first = Array.from({ length: 5000 }, (_, id) => randomStream(0, 'mask', 0, id).uniform() - 0.5);
    const correlation = mean(first.slice(1).map((value, i) => value * first[i]!)) * 12;
    // Standard error 1/sqrt(5000) = 0.014.
    expect(Math.abs(correlation)).toBeLessThan(0.06);
  });

  it('of one stream do not go together', () => {
    const values = draws(randomStream('serial'), 5000).map((value) => value - 0.5);
    expect(Math.abs(mean(values.slice(1).map((value, i) => value * values[i]!)) * 12)).toBeLessThan(0.06);
  });

  it('of whole numbers stay below their limit and reach all of it', () => {
    const stream = randomStream('int');
    expect(new Set(Array.from({ length: 300 }, () => stream.int(5)))).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  it('of the normal distribution have mean 0 and deviation 1', () => {
    const stream = randomStream('normal');
    const values = Array.from({ length: 20_000 }, () => stream.normal());
    expect(Math.abs(mean(values))).toBeLessThan(0.03);
    expect(mean(values.map((value) => value * value))).toBeCloseTo(1, 1);
    expect(values.every(Number.isFinite)).toBe(true);
  });
});

describe('permutations', () => {
  it('hold every index once', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.integer(), (length, seed) => {
        const order = Array.from(randomStream(seed).permutation(length));
        expect(order.sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
      }),
    );
  });

  it('come in every order equally often', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = randomStream('orders', i).permutation(3).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // Five standard deviations of a binomial count of mean 1000.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(145);
  });
});
