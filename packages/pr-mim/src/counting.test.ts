import { ConfigError, visibleCount } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { throwCounts, type ThrowRule } from './counting.js';

const rule = (ratio: number, more: Partial<ThrowRule> = {}): ThrowRule => ({ throw: ratio, throwBase: 'all', throwRounding: 'floor', ...more });
const messageOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('counts of the published settings', () => {
  test.each([
    // cells, masked, γ, thrown, retained, length of the shortened sequence with its class token
    [196, 147, 0, 0, 147, 197],
    [196, 147, 0.25, 49, 98, 148],
    [196, 147, 0.4, 78, 69, 119],
    [196, 147, 0.5, 98, 49, 99],
    [196, 147, 0.65, 127, 20, 70],
    [196, 120, 0.24, 47, 73, 150],
    [196, 120, 0.3, 58, 62, 139],
    [196, 120, 0.5, 98, 22, 99],
    [64, 48, 0.25, 16, 32, 49],
    [64, 48, 0.5, 32, 16, 33],
    [64, 48, 0.65, 41, 7, 24],
  ])('%i cells, %i masked, γ %f: %i thrown, %i retained', (cells, masked, ratio, thrown, retained, sequence) => {
    const counts = throwCounts(cells - masked, masked, rule(ratio));
    expect(counts).toEqual({ visible: cells - masked, retained, thrown });
    expect(1 + counts.visible + counts.retained).toBe(sequence);
  });
  test('7 x 7 tokens without class token (GreenMIM)', () => {
    const visible = visibleCount(49, 0.75);
    expect(throwCounts(visible, 49 - visible, rule(0.5))).toEqual({ visible: 12, retained: 13, thrown: 24 });
  });
  test('half of the masked tokens is another number', () => {
    expect(throwCounts(49, 147, rule(0.5, { throwBase: 'masked' })).thrown).toBe(73);
    expect(throwCounts(76, 120, rule(0.5, { throwBase: 'masked' })).thrown).toBe(60);
  });
});

describe('rounding', () => {
  test('floor, round and ceil differ by one token', () => {
    const thrown = (throwRounding: ThrowRule['throwRounding']): number => throwCounts(49, 147, rule(0.65, { throwRounding })).thrown;
    expect([thrown('floor'), thrown('round'), thrown('ceil')]).toEqual([127, 127, 128]);
  });
  test('a product a hair beside a whole number means that number', () => {
    // 0.29 * 100 is 28.999999999999996, 0.07 * 100 is 7.000000000000001.
    expect(throwCounts(10, 90, rule(0.29)).thrown).toBe(29);
    expect(throwCounts(10, 90, rule(0.07, { throwRounding: 'ceil' })).thrown).toBe(7);
  });
});

describe('what cannot be', () => {
  test('more thrown than masked: γ, m and the counts are named', () => {
    const message = messageOf(() => throwCounts(49, 147, rule(0.8)));
    expect(message).toContain('γ = 0.8 throws 156 tokens (of 196 in the grid)');
    expect(message).toContain('m = 0.75 masks 147 of 196');
    expect(message).toContain('more tokens are thrown than masked');
  });
  test('no token retained', () => {
    const message = messageOf(() => throwCounts(49, 147, rule(0.75)));
    expect(message).toContain('no masked token is retained');
    expect(message).toContain('γ = 0.75 throws 147 tokens');
    expect(message).toContain(`lower 'throw'`);
  });
  test('γ of the masked tokens rounds up to all of them', () => {
    expect(messageOf(() => throwCounts(12, 4, rule(0.9, { throwBase: 'masked', throwRounding: 'ceil' })))).toContain('(of 4 masked)');
  });
});

test('whatever is allowed adds up, keeps a token, and is as near to γ as rounding lets it', () => {
  const rules = fc.record({ throw: fc.double({ min: 0, max: 0.99, noNaN: true }), throwBase: fc.constantFrom('all' as const, 'masked' as const), throwRounding: fc.constantFrom('floor' as const, 'round' as const, 'ceil' as const) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 }), rules, (visible, masked, given) => {
      let counts;
      try {
        counts = throwCounts(visible, masked, given);
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        expect(given.throw * (given.throwBase === 'all' ? visible + masked : masked)).toBeGreaterThan(masked - 2);
        return;
      }
      expect(counts.visible).toBe(visible);
      expect(counts.retained + counts.thrown).toBe(masked);
      expect(counts.retained).toBeGreaterThanOrEqual(1);
      expect(Math.abs(counts.thrown - given.throw * (given.throwBase === 'all' ? visible + masked : masked))).toBeLessThan(1);
    }),
  );
});
