import { randomStream } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pickAttended, weightedOrder } from './weighted-order.js';

describe('a weighted order', () => {
  test('is a permutation, whatever the weights', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }), fc.nat(), (weights, seed) => {
        const order = weightedOrder(weights, randomStream(seed));
        expect([...order].sort((a, b) => a - b)).toEqual(weights.map((_, place) => place));
      }),
    );
  });

  test('puts first each place in proportion to its weight, and second in proportion to what is left', () => {
    const weights = [1, 2, 5];
    const draws = 20000;
    const first = [0, 0, 0];
    const second = [0, 0, 0];
    for (let seed = 0; seed < draws; seed++) {
      const [a, b] = weightedOrder(weights, randomStream(seed));
      first[a as number]!++;
      second[b as number]!++;
    }
    // Place 2 comes second behind 0 (1/8 * 5/7) or behind 1 (2/8 * 5/6).
    const expected = [1 / 8, 2 / 8, 5 / 8];
    first.forEach((count, place) => expect(Math.abs(count / draws - (expected[place] as number))).toBeLessThan(0.015));
    expect(Math.abs((second[2] as number) / draws - ((1 / 8) * (5 / 7) + (2 / 8) * (5 / 6)))).toBeLessThan(0.015);
  });

  test('leaves places of weight 0 for last, and has an order of them too', () => {
    const lasts = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const order = weightedOrder([0, 1, 0, 1], randomStream(seed));
      expect([...order.slice(0, 2)].sort()).toEqual([1, 3]);
      lasts.add(order.slice(2).join());
    }
    expect(lasts.size).toBe(2);
  });
});

describe('picking attended tokens', () => {
  const context = { grid: { rows: 2, columns: 4 }, visible: Int32Array.of(0, 1), masked: Int32Array.of(7, 2, 6, 3, 5, 4), keep: 3 };

  test('retains the masked tokens that are attended to', () => {
    const attention = Float64Array.of(9, 9, 1, 1, 1e-9, 1e-9, 1, 1e-9);
    for (let seed = 0; seed < 50; seed++) expect([...pickAttended({ ...context, random: randomStream(seed), attention })].sort()).toEqual([1, 2, 3]);
  });

  test('is uniform without attention', () => {
    const times = new Float64Array(6);
    for (let seed = 0; seed < 3000; seed++) for (const position of pickAttended({ ...context, random: randomStream(seed) })) times[position]!++;
    for (const count of times) expect(Math.abs(count - 1500)).toBeLessThan(5 * 27);
  });
});
