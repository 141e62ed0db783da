import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { topK } from './top-k.js';

function top(data: readonly number[], k: number, start = 0, length = data.length): [number, number][] {
  const out = { values: new Float32Array(k), columns: new Int32Array(k) };
  topK(Float32Array.from(data), start, length, k, out);
  return [...out.columns].map((column, i) => [column, out.values[i] as number]);
}

describe('the k largest', () => {
  it('come largest first, with their columns', () => {
    expect(top([1, 5, 3, 4], 2)).toEqual([[1, 5], [3, 4]]);
  });

  it('of equal values are the first ones', () => {
    expect(top([2, 7, 7, 2, 7], 2)).toEqual([[1, 7], [2, 7]]);
  });

  it('may be all', () => {
    expect(top([1, 3, 2], 3)).toEqual([[1, 3], [2, 2], [0, 1]]);
  });

  it('are those of one row of a block', () => {
    expect(top([9, 9, 1, 4, 9, 9], 1, 2, 2)).toEqual([[1, 4]]);
  });

  it('agree with sorting', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 40 }), fc.nat(), (data, draw) => {
        const k = 1 + (draw % data.length);
        const sorted = data.map((value, column): [number, number] => [column, value]).sort(([a, x], [b, y]) => y - x || a - b);
        expect(top(data, k)).toEqual(sorted.slice(0, k));
      }),
    );
  });
});
