import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchesPerEpoch, checkSubset, epochOrder } from './epoch-order.js';

const order = (seed: number, epoch: number, size = 50): number[] => [...epochOrder({ size, batch: 8, seed, shuffle: true }, epoch)];

describe('epochOrder', () => {
  it('takes every sample once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), fc.nat(), (size, seed, epoch) => {
        expect(order(seed, epoch, size).sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
      }),
    );
  });

  it('is a function of seed and epoch', () => {
    expect(order(3, 1)).toEqual(order(3, 1));
    expect(order(3, 1)).not.toEqual(order(3, 2));
    expect(order(3, 1)).not.toEqual(order(4, 1));
  });

  it('keeps the order of the data set where nothing is shuffled', () => {
    expect([...epochOrder({ size: 4, batch: 2, seed: 0, shuffle: false }, 9)]).toEqual([0, 1, 2, 3]);
  });

  it('draws from a subset only', () => {
    expect([...epochOrder({ size: 3, batch: 1, seed: 0, shuffle: false, subset: [7, 2, 5] }, 0)]).toEqual([7, 2, 5]);
    expect([...epochOrder({ size: 3, batch: 1, seed: 0, shuffle: true, subset: [7, 2, 5] }, 0)].sort()).toEqual([2, 5, 7]);
  });
});

describe('batchesPerEpoch', () => {
  it('drops a short last batch when shuffling and keeps it otherwise', () => {
    expect(batchesPerEpoch({ size: 10, batch: 4, shuffle: true })).toBe(2);
    expect(batchesPerEpoch({ size: 10, batch: 4, shuffle: false })).toBe(3);
    expect(batchesPerEpoch({ size: 8, batch: 4, shuffle: false })).toBe(2);
  });
});

describe('checkSubset', () => {
  it('names a sample outside the data set', () => {
    expect(() => checkSubset([0, 9], 10)).not.toThrow();
    expect(() => checkSubset([0, 10], 10)).toThrow('sample 10 does not exist');
    expect(() => checkSubset([0.5], 10)).toThrow('sample 0.5 does not exist');
  });
});
