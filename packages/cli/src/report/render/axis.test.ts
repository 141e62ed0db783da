import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linearAxis, logAxis } from './axis.js';

describe('a linear axis', () => {
  it('ends on round numbers around the values, where lines of the grid stand', () => {
    const axis = linearAxis(0.49, 2.36, [200, 0], 4);
    expect(axis.ticks).toEqual([0, 0.5, 1, 1.5, 2, 2.5]);
    expect([axis.at(0), axis.at(2.5), axis.at(1.25)]).toEqual([200, 0, 100]);
  });

  it('may end exactly where values do', () => {
    const axis = linearAxis(1, 468, [0, 467], 5, true);
    expect([axis.at(1), axis.at(468)]).toEqual([0, 467]);
    expect(axis.ticks).toEqual([100, 200, 300, 400]);
  });

  it.each([[3], [0], [-2]])('has room around a line that stays at %s', (value) => {
    const { ticks, at } = linearAxis(value, value, [100, 0], 4);
    expect(at(value)).toBeGreaterThanOrEqual(0);
    expect(at(value)).toBeLessThanOrEqual(100);
    expect(ticks.length).toBeGreaterThan(1);
  });

  it('has room around a line that changes in its last bits alone', () => {
    const { ticks } = linearAxis(0.3, 0.1 + 0.2, [100, 0], 4);
    expect(new Set(ticks).size).toBe(ticks.length);
    expect(ticks).toContain(0.3);
  });

  it('has ticks without the dust of adding up', () => {
    expect(linearAxis(0, 0.6, [0, 1], 6).ticks).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
  });
});

describe('a logarithmic axis', () => {
  it('gives every power of ten the same length', () => {
    const axis = logAxis(0.01, 100, [400, 0], 4);
    expect(axis.ticks).toEqual([0.01, 0.1, 1, 10, 100]);
    expect(axis.ticks.map((tick) => Math.round(axis.at(tick)))).toEqual([400, 300, 200, 100, 0]);
  });

  it('has ticks between powers where the range is short', () => {
    expect(logAxis(0.49, 2.4, [100, 0], 4).ticks).toEqual([0.5, 1, 2]);
    expect(logAxis(0.61, 0.68, [100, 0], 4).ticks.length).toBeGreaterThanOrEqual(2);
  });
});

describe('any axis', () => {
  const range = fc.tuple(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), fc.double({ min: 1, max: 1e3, noNaN: true })).map(([low, times]) => [low, low * times] as const);

  it.each([['linear', linearAxis], ['tight', (low: number, high: number, pixels: readonly [number, number], count: number) => linearAxis(low, high, pixels, count, true)], ['logarithmic', logAxis]])('(%s) has all its values and ticks inside, ascending', (_, axis) => {
    fc.assert(
      fc.property(range, ([low, high]) => {
        const { ticks, at } = axis(low, high, [0, 100], 4);
        for (const value of [low, high, ...ticks]) {
          expect(at(value)).toBeGreaterThan(-0.5);
          expect(at(value)).toBeLessThan(100.5);
        }
        expect(ticks.every((tick, place) => place === 0 || tick > (ticks[place - 1] as number))).toBe(true);
        expect(ticks.length).toBeGreaterThan(0);
      }),
    );
  });
});
