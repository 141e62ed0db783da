import { describe, expect, it } from 'vitest';
import { IMAGENET_STATISTICS, MNIST_STATISTICS, statisticsFor } from './statistics.js';

describe('statisticsFor', () => {
  it('keeps statistics that fit', () => {
    expect(statisticsFor(IMAGENET_STATISTICS, 3)).toBe(IMAGENET_STATISTICS);
  });

  it('repeats those of grey images', () => {
    expect(statisticsFor(MNIST_STATISTICS, 3)).toEqual({ mean: [0.1307, 0.1307, 0.1307], std: [0.3081, 0.3081, 0.3081] });
  });

  it('weighs colours by brightness', () => {
    expect(statisticsFor({ mean: [1, 0, 0], std: [0, 1, 0] }, 1)).toEqual({ mean: [0.299], std: [0.587] });
  });

  it('refuses other numbers of channels', () => {
    expect(() => statisticsFor(IMAGENET_STATISTICS, 2)).toThrow('Give 2 numbers for mean and std');
  });
});
