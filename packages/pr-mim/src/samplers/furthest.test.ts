import { randomStream } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { furthestPicker, selectFurthest, type FurthestOptions } from './furthest.js';

interface Case {
  readonly rows: number;
  readonly columns: number;
  readonly visible: Int32Array;
  readonly masked: Int32Array;
  readonly keep: number;
  readonly first: number;
}

/** A grid with some tokens masked, in random order. */
const cases = ({ side = 9, masked: limit = 81 } = {}): fc.Arbitrary<Case> =>
  fc
    .tuple(fc.integer({ min: 2, max: side }), fc.integer({ min: 2, max: side }), fc.nat())
    .chain(([rows, columns, seed]) =>
      fc.integer({ min: 1, max: Math.min(limit, rows * columns) }).chain((count) =>
        fc.tuple(fc.integer({ min: 1, max: count }), fc.nat(count - 1)).map(([keep, first]) => {
          const order = randomStream('furthest-test', seed).permutation(rows * columns);
          return { rows, columns, masked: order.slice(0, count), visible: order.slice(count), keep, first };
        }),
      ),
    );

const squared = (columns: number, a: number, b: number): number =>
  (Math.floor(a / columns) - Math.floor(b / columns)) ** 2 + ((a % columns) - (b % columns)) ** 2;
const nearest = (columns: number, cell: number, others: readonly number[]): number => Math.min(...others.map((other) => squared(columns, cell, other)));
const coverOf = (columns: number, masked: Int32Array, chosen: readonly number[]): number => Math.max(...[...masked].map((cell) => nearest(columns, cell, chosen)));
const separationOf = (columns: number, chosen: readonly number[]): number =>
  Math.min(Infinity, ...chosen.flatMap((a, i) => chosen.slice(i + 1).map((b) => squared(columns, a, b))));
const cellsAt = (masked: Int32Array, positions: Int32Array): number[] => [...positions].map((position) => masked[position] as number);

describe('max-min selection', () => {
  test('takes corners first, lowest position among equals', () => {
    const masked = Int32Array.from({ length: 9 }, (_, i) => i);
    // 3 x 3: from the centre all corners are equally far; then the opposite one, then the remaining two.
    const { positions, gains } = selectFurthest({ columns: 3, masked, keep: 5, first: 4 });
    expect([...positions]).toEqual([4, 0, 2, 6, 8]);
    expect([...gains]).toEqual([Infinity, 2, 2, 2, 2]);
  });

  test('gives exactly the asked number of distinct positions, the given one first', () => {
    fc.assert(
      fc.property(cases(), ({ columns, masked, keep, first }) => {
        const { positions } = selectFurthest({ columns, masked, keep, first });
        expect(positions).toHaveLength(keep);
        expect(new Set(positions).size).toBe(keep);
        expect(positions[0]).toBe(first);
        expect(Math.max(...positions)).toBeLessThan(masked.length);
      }),
    );
  });

  test('is a function of its input alone', () => {
    fc.assert(
      fc.property(cases(), ({ columns, masked, keep, first }) => {
        const before = masked.slice();
        const once = selectFurthest({ columns, masked, keep, first });
        expect(selectFurthest({ columns, masked, keep, first })).toEqual(once);
        expect(masked).toEqual(before);
      }),
    );
  });

  test('every token is the furthest there is, lowest position on ties (checked by recomputing all distances)', () => {
    fc.assert(
      fc.property(cases({ side: 7 }), ({ columns, masked, keep, first }) => {
        const { positions, gains } = selectFurthest({ columns, masked, keep, first });
        const chosen = [masked[first] as number];
        for (let step = 1; step < keep; step++) {
          const distances = [...masked].map((cell) => (chosen.includes(cell) ? -1 : nearest(columns, cell, chosen)));
          const best = Math.max(...distances);
          expect(positions[step]).toBe(distances.indexOf(best));
          expect(gains[step]).toBe(best);
          chosen.push(masked[positions[step] as number] as number);
        }
      }),
    );
  });

  test('distances of selection never grow, and the last is the smallest between two retained tokens', () => {
    fc.assert(
      fc.property(cases(), ({ columns, masked, keep, first }) => {
        const { positions, gains } = selectFurthest({ columns, masked, keep, first });
        for (let i = 1; i < keep; i++) expect(gains[i]).toBeLessThanOrEqual(gains[i - 1] as number);
        if (keep > 1) expect(gains[keep - 1]).toBe(separationOf(columns, cellsAt(masked, positions)));
      }),
    );
  });

  test('no masked token lies further from the retained ones than the last selection distance', () => {
    fc.assert(
      fc.property(cases(), ({ columns, masked, keep, first }) => {
        fc.pre(keep > 1);
        const { positions, gains } = selectFurthest({ columns, masked, keep, first });
        expect(coverOf(columns, masked, cellsAt(masked, positions))).toBeLessThanOrEqual(gains[keep - 1] as number);
      }),
    );
  });

  test('retaining one more token only appends it', () => {
    fc.assert(
      fc.property(cases(), ({ columns, masked, keep, first }) => {
        fc.pre(keep < masked.length);
        const shorter = selectFurthest({ columns, masked, keep, first }).positions;
        expect(selectFurthest({ columns, masked, keep: keep + 1, first }).positions.subarray(0, keep)).toEqual(shorter);
      }),
    );
  });

  test('shifting the tokens or mirroring the grid carries the selection along', () => {
    fc.assert(
      fc.property(cases(), fc.nat(5), fc.nat(5), ({ columns, masked, keep, first }, down, right) => {
        const { positions } = selectFurthest({ columns, masked, keep, first });
        const wider = columns + right;
        const moved = masked.map((cell) => (Math.floor(cell / columns) + down) * wider + (cell % columns) + right);
        const mirrored = masked.map((cell) => Math.floor(cell / columns) * columns + (columns - 1 - (cell % columns)));
        expect(selectFurthest({ columns: wider, masked: moved, keep, first }).positions).toEqual(positions);
        expect(selectFurthest({ columns, masked: mirrored, keep, first }).positions).toEqual(positions);
      }),
    );
  });
});

/** All ways to choose `keep` of the cells. */
function* choices(cells: readonly number[], keep: number, start = 0): Generator<number[]> {
  if (keep === 0) yield [];
  for (let i = start; keep > 0 && i <= cells.length - keep; i++) {
    for (const rest of choices(cells, keep - 1, i + 1)) yield [cells[i] as number, ...rest];
  }
}

describe('against the best there is, by brute force', () => {
  test('cover at most twice the optimum, separation at least half of it, from every first token', () => {
    fc.assert(
      fc.property(cases({ side: 4, masked: 9 }), ({ columns, masked, keep }) => {
        const all = [...choices([...masked], keep)];
        const bestCover = Math.min(...all.map((chosen) => coverOf(columns, masked, chosen)));
        const bestSeparation = Math.max(...all.map((chosen) => separationOf(columns, chosen)));
        for (let first = 0; first < masked.length; first++) {
          const chosen = cellsAt(masked, selectFurthest({ columns, masked, keep, first }).positions);
          // Squared distances: twice becomes four times.
          expect(coverOf(columns, masked, chosen)).toBeLessThanOrEqual(4 * bestCover);
          if (keep > 1) expect(4 * separationOf(columns, chosen)).toBeGreaterThanOrEqual(bestSeparation);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('with visible tokens as opened centres the cover bound still holds', () => {
    fc.assert(
      fc.property(cases({ side: 4, masked: 9 }), ({ columns, masked, visible, keep }) => {
        fc.pre(visible.length > 0);
        const cover = (chosen: readonly number[]): number => coverOf(columns, masked, [...visible, ...chosen]);
        const best = Math.min(...[...choices([...masked], keep)].map(cover));
        const { positions } = selectFurthest({ columns, masked, keep, anchors: visible });
        expect(cover(cellsAt(masked, positions))).toBeLessThanOrEqual(4 * best);
      }),
      { numRuns: 60 },
    );
  });
});

describe('variants', () => {
  const grid = { rows: 5, columns: 5 };
  const base: FurthestOptions = { criterion: 'max-min', anchors: 'masked', tieBreak: 'masked-order', firstToken: 'random' };
  const order = randomStream('variants').permutation(25);
  const context = (seed: number, keep = 8) => ({ grid, visible: order.slice(0, 6), masked: order.slice(6), keep, random: randomStream(seed) });

  test('max-sum takes the largest sum of distances', () => {
    const masked = Int32Array.from({ length: 5 }, (_, i) => i);
    // On a line 0..4 from 1: 4 is 3 away; then 0 has 1 + 4; then 2 and 3 both have 5 - a tie, and 2 stands first.
    const { positions, gains } = selectFurthest({ columns: 5, masked, keep: 5, first: 1, criterion: 'max-sum' });
    expect([...positions]).toEqual([1, 4, 0, 3, 2]);
    expect([...gains]).toEqual([0, 3, 5, 6, 6]);
  });

  test('max-sum crowds the border where max-min covers the middle', () => {
    const masked = Int32Array.from({ length: 81 }, (_, i) => i);
    const inner = (criterion: 'max-min' | 'max-sum'): number =>
      [...selectFurthest({ columns: 9, masked, keep: 20, first: 0, criterion }).positions].filter((cell) => cell % 9 > 1 && cell % 9 < 7 && cell > 17 && cell < 63).length;
    expect(inner('max-sum')).toBe(0);
    expect(inner('max-min')).toBeGreaterThan(3);
  });

  test('anchored selection keeps away from visible tokens', () => {
    const masked = Int32Array.of(0, 1, 2, 3);
    // On a line with 4 visible, the furthest masked token is 0.
    expect([...selectFurthest({ columns: 5, masked, keep: 2, anchors: Int32Array.of(4) }).positions]).toEqual([0, 2]);
  });

  test('anchored selection takes the furthest from anchors and retained tokens, lowest position on ties, whatever comes first', () => {
    fc.assert(
      fc.property(cases({ side: 7 }), fc.boolean(), ({ columns, masked, visible, keep, first }, given) => {
        fc.pre(visible.length > 0);
        const { positions, gains } = selectFurthest({ columns, masked, keep, anchors: visible, ...(given ? { first } : {}) });
        const near = [...visible];
        const taken: number[] = [];
        for (let step = 0; step < keep; step++) {
          const distances = [...masked].map((cell, position) => (taken.includes(position) ? -1 : nearest(columns, cell, near)));
          const best = given && step === 0 ? first : distances.indexOf(Math.max(...distances));
          expect(positions[step]).toBe(best);
          expect(gains[step]).toBe(distances[best]);
          taken.push(best);
          near.push(masked[best] as number);
        }
      }),
    );
  });

  test('options do not move the random first token', () => {
    for (const more of [{ tieBreak: 'random' }, { criterion: 'max-sum' }, { anchors: 'masked+visible' }] as const) {
      for (let seed = 0; seed < 10; seed++) expect(furthestPicker({ ...base, ...more })(context(seed))[0]).toBe(furthestPicker(base)(context(seed))[0]);
    }
  });

  test('the first token is uniform over the masked ones', () => {
    const times = new Array<number>(19).fill(0);
    for (let seed = 0; seed < 1900; seed++) {
      const [first] = furthestPicker(base)(context(seed, 1)) as unknown as [number];
      times[first] = (times[first] ?? 0) + 1;
    }
    // Binomial(1900, 1/19): mean 100, deviation 9.7.
    for (const count of times) expect(Math.abs(count - 100)).toBeLessThan(5 * 9.7);
  });

  test('firstToken: farthest draws nothing and starts away from visible tokens', () => {
    const pick = furthestPicker({ ...base, anchors: 'masked+visible', firstToken: 'farthest' });
    expect(pick(context(1))).toEqual(pick(context(2)));
  });

  test('random ties choose as far tokens, but not the same ones', () => {
    const masked = Int32Array.from({ length: 25 }, (_, i) => i);
    const picks = [1, 2, 3, 4, 5, 6].map((seed) => {
      const chosen = furthestPicker({ ...base, tieBreak: 'random' })({ grid, visible: new Int32Array(0), masked, keep: 25, random: randomStream(seed) });
      expect(new Set(chosen).size).toBe(25);
      // The gains along the chosen order are a greedy run's: never growing.
      const gains = [...chosen].map((cell, i) => (i === 0 ? Infinity : nearest(5, cell, [...chosen.subarray(0, i)])));
      for (let i = 1; i < 25; i++) expect(gains[i]).toBeLessThanOrEqual(gains[i - 1] as number);
      return chosen.join(' ');
    });
    expect(new Set(picks).size).toBeGreaterThan(1);
  });
});
