import { describe, expect, it } from 'vitest';
import { spreadOf } from './spread.js';

describe('figures over seeds', () => {
  it('have a mean and the deviation of a sample', () => {
    expect(spreadOf([1, 2, 3])).toEqual({ mean: 2, spread: 1, seeds: 3 });
  });

  it('have no deviation with one seed', () => {
    expect(spreadOf([0.5])).toEqual({ mean: 0.5, seeds: 1 });
  });

  it('are not made of nothing', () => {
    expect(spreadOf([])).toBeUndefined();
  });
});
