import { randomStream } from '@mimlab/core';
import { expect, test } from 'vitest';
import { pickRandom } from './random.js';

const context = (seed: number, keep: number) => ({
  grid: { rows: 4, columns: 4 },
  visible: Int32Array.of(0, 1, 2, 3),
  masked: Int32Array.from({ length: 12 }, (_, i) => 15 - i),
  keep,
  random: randomStream(seed),
});

test('exactly as many distinct positions as asked for', () => {
  for (let keep = 1; keep <= 12; keep++) {
    const picked = pickRandom(context(keep, keep));
    expect(picked).toHaveLength(keep);
    expect(new Set(picked).size).toBe(keep);
    expect([...picked].every((position) => position >= 0 && position < 12)).toBe(true);
  }
});

test('the same stream picks the same, another one something else', () => {
  expect(pickRandom(context(1, 6))).toEqual(pickRandom(context(1, 6)));
  expect(pickRandom(context(1, 6))).not.toEqual(pickRandom(context(2, 6)));
});

test('every position is picked equally often', () => {
  const times = new Array<number>(12).fill(0);
  for (let seed = 0; seed < 3000; seed++) for (const position of pickRandom(context(seed, 3))) times[position] = (times[position] ?? 0) + 1;
  // Binomial(3000, 1/4): mean 750, deviation 24.
  for (const count of times) expect(Math.abs(count - 750)).toBeLessThan(5 * 24);
});
