import { randomStream } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawMix, MixConfig, softTargets, symmetricBeta } from './soft-targets.js';

const rows = (values: ArrayLike<number>, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, row) => Array.from({ length: width }, (_, column) => Math.round((values[row * width + column] as number) * 1e6) / 1e6));

describe('soft targets', () => {
  it('are ones at the labels without smoothing and blending', () => {
    expect(rows(softTargets(Int32Array.of(2, 0), 3, 0).data, 3)).toEqual([[0, 0, 1], [1, 0, 0]]);
  });

  it('spread the smoothing over all classes', () => {
    expect(rows(softTargets(Int32Array.of(1), 4, 0.2).data, 4)).toEqual([[0.05, 0.85, 0.05, 0.05]]);
  });

  it('take the rest from the batch reversed', () => {
    expect(rows(softTargets(Int32Array.of(0, 1, 1), 2, 0, 0.75).data, 2)).toEqual([[0.75, 0.25], [0, 1], [0.25, 0.75]]);
  });

  it('add up to one for every image', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 8 }), fc.double({ min: 0, max: 0.9, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (labels, smoothing, lambda) => {
        for (const row of rows(softTargets(Int32Array.from(labels), 5, smoothing, lambda).data, 5)) expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      }),
    );
  });
});

describe('a blend', () => {
  const size = { height: 6, width: 10 };
  const draw = (config: Partial<MixConfig>, batch: number) => drawMix(MixConfig.parse(config), size, 1, 0, batch);

  it('is none where neither mixup nor cutmix is on', () => {
    expect(draw({}, 0)).toBeUndefined();
  });

  it('of mixup has one share for all pixels, that of the label', () => {
    for (let batch = 0; batch < 20; batch++) {
      const mix = draw({ mixup: 0.8 }, batch);
      expect(new Set(mix?.keep_HW1.data)).toEqual(new Set([Math.fround(mix?.lambda as number)]));
      expect(mix?.keep_HW1.shape).toEqual([6, 10, 1]);
    }
  });

  it('of cutmix takes a box from the other image, and its area from the label', () => {
    for (let batch = 0; batch < 50; batch++) {
      const mix = draw({ cutmix: 1 }, batch);
      const keep = [...(mix?.keep_HW1.data ?? [])];
      expect(keep.every((share) => share === 0 || share === 1)).toBe(true);
      expect(keep.reduce((a, b) => a + b, 0) / keep.length).toBeCloseTo(mix?.lambda as number, 12);
      const taken = keep.flatMap((share, at) => (share === 0 ? [[Math.floor(at / 10), at % 10] as const] : []));
      const height = new Set(taken.map(([row]) => row)).size;
      const width = new Set(taken.map(([, column]) => column)).size;
      expect(height * width).toBe(taken.length);
    }
  });

  it('is cutmix about as often as the switch says', () => {
    const cuts = Array.from({ length: 400 }, (_, batch) => draw({ mixup: 0.8, cutmix: 1, switch: 0.25 }, batch)).filter((mix) => [...(mix?.keep_HW1.data ?? [])].every((share) => share === 0 || share === 1));
    expect(cuts.length / 400).toBeGreaterThan(0.18);
    expect(cuts.length / 400).toBeLessThan(0.32);
  });

  it('is the same for the same batch and another for the next', () => {
    expect(draw({ mixup: 1 }, 3)).toEqual(draw({ mixup: 1 }, 3));
    expect(draw({ mixup: 1 }, 3)?.lambda).not.toBe(draw({ mixup: 1 }, 4)?.lambda);
  });
});

describe('a draw of Beta(a, a)', () => {
  it.each([0.8, 1, 4])('has mean 1/2 and variance 1 / (4 (2a + 1)) for a = %d', (a) => {
    const random = randomStream('beta', a);
    const draws = Array.from({ length: 4000 }, () => symmetricBeta(a, random));
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
    expect(variance * 4 * (2 * a + 1)).toBeGreaterThan(0.9);
    expect(variance * 4 * (2 * a + 1)).toBeLessThan(1.1);
    expect(draws.every((x) => x >= 0 && x <= 1)).toBe(true);
  });
});
