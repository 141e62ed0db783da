import type { Objective } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { hookRandomness } from './hook-randomness.js';

const objective = {
  randomInputs: (batch: number) => ({ drop: { shape: [batch], distribution: 'uniform' }, noise: { shape: [batch, 500], distribution: 'normal' } }),
} as unknown as Objective;
const draw = (...[seed, update, micro]: [number, number, number]): Record<string, number[]> =>
  Object.fromEntries(Object.entries(hookRandomness(objective, 4, seed, update, micro)).map(([name, { data }]) => [name, [...data]]));

describe('random inputs of hooks', () => {
  it('have the names, shapes and distributions that were asked for', () => {
    const inputs = hookRandomness(objective, 4, 1, 1, 0);
    expect(Object.entries(inputs).map(([name, { shape, dtype }]) => [name, shape, dtype])).toEqual([
      ['random.drop', [4], 'float32'],
      ['random.noise', [4, 500], 'float32'],
    ]);
    const noise = [...(inputs['random.noise']?.data ?? [])];
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const variance = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length;
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(Math.abs(variance - 1)).toBeLessThan(0.1);
    expect([...(inputs['random.drop']?.data ?? [])].every((value) => value >= 0 && value < 1)).toBe(true);
  });

  it('are the same whenever they are drawn', () => {
    expect(draw(1, 5, 2)).toEqual(draw(1, 5, 2));
  });

  it('differ by seed, update and micro-batch', () => {
    const draws = [draw(1, 5, 2), draw(2, 5, 2), draw(1, 6, 2), draw(1, 5, 3)].map((inputs) => inputs['random.drop']?.join());
    expect(new Set(draws).size).toBe(4);
  });
});
