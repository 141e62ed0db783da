import { planGeometry, randomStream, type PlanGeometry, type TokenPlan } from '@mimlab/core';
import { randomMasking } from '@mimlab/nn';
import { describe, expect, test } from 'vitest';
import { throwingSampler } from '../throwing-sampler.js';
import { furthestPicker, type FurthestOptions } from './furthest.js';
import type { Picker } from './picker.js';
import { pickRandom } from './random.js';
import { runningCellPicker } from './running-cell.js';

const MASKS = 200;
const grid = { rows: 14, columns: 14 };
const crop = { top: 0, left: 0, height: 224, width: 224, sourceHeight: 224, sourceWidth: 224, flip: false };
const furthest = (more: Partial<FurthestOptions> = {}): Picker =>
  furthestPicker({ criterion: 'max-min', anchors: 'masked', tieBreak: 'masked-order', firstToken: 'random', ...more });

const plans = (pick: Picker, ratio: number): TokenPlan[] => {
  const rule = { throw: ratio, throwBase: 'all', throwRounding: 'floor' } as const;
  const sampler = throwingSampler(randomMasking({ maskRatio: 0.75 }), { rule, pick, subset: false });
  return Array.from({ length: MASKS }, (_, sampleId) => {
    const streams = { mask: randomStream(1, 'mask', 0, sampleId), sample: randomStream(1, 'sample', 0, sampleId) };
    return sampler.sample({ grid, streams, sampleId, epoch: 0, crop });
  });
};
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

interface Summary {
  readonly distance: number;
  readonly cover: number;
  readonly known: number;
  /** Percent of thrown tokens without a known one in 3 x 3, 7 x 7; percent of images with one in 3 x 3. */
  readonly isolated3: number;
  readonly isolated7: number;
  readonly images: number;
  readonly each: readonly PlanGeometry[];
}
function summary(pick: Picker, ratio: number): Summary {
  const made = plans(pick, ratio);
  const each = made.map(planGeometry);
  const thrown = made[0]?.thrown.length ?? 0;
  return {
    distance: mean(each.map((g) => g.meanDistance)),
    cover: mean(each.map((g) => g.cover)),
    known: mean(each.map((g) => g.knownAround)),
    isolated3: 100 * mean(each.map((g) => g.isolated[3] / thrown)),
    isolated7: 100 * mean(each.map((g) => g.isolated[7] / thrown)),
    images: 100 * mean(each.map((g) => (g.isolated[3] > 0 ? 1 : 0))),
    each,
  };
}

/** Published figures of 1000 masks; the tolerances leave room for the error of 200. */
describe('geometry over 200 masks of 14 x 14 tokens, three quarters masked', () => {
  test('half thrown, random: about one thrown token in a hundred stands alone', () => {
    const random = summary(pickRandom, 0.5);
    expect(random.isolated3).toBeGreaterThan(0.8);
    expect(random.isolated3).toBeLessThan(1.5);
    expect(Math.abs(random.images - 58)).toBeLessThan(14);
    expect(random.distance).toBeCloseTo(1.04, 2);
    expect(Math.abs(random.cover - 2.71)).toBeLessThan(0.12);
    expect(Math.abs(random.known - 3.6)).toBeLessThan(0.05);
  });

  test('half thrown, furthest: a diagonal lattice, nobody alone in any image', () => {
    const made = summary(furthest(), 0.5);
    expect(made.isolated3).toBe(0);
    for (const { cover, separation } of made.each) {
      expect(cover).toBeLessThanOrEqual(Math.SQRT2);
      expect(separation).toBeCloseTo(Math.SQRT2, 12);
    }
    expect(made.distance).toBeCloseTo(1.01, 2);
    expect(Math.abs(made.known - 3.79)).toBeLessThan(0.05);
  });

  test('a quarter thrown, furthest: every thrown token has a direct neighbour', () => {
    const made = summary(furthest(), 0.25);
    expect(made.each.every(({ maxDistance, cover }) => maxDistance === 1 && cover === 1)).toBe(true);
  });

  test('65 % thrown: furthest leaves 3.2 % alone, random 5.3 %, anchored none', () => {
    expect(Math.abs(summary(furthest(), 0.65).isolated3 - 3.2)).toBeLessThan(0.35);
    expect(Math.abs(summary(pickRandom, 0.65).isolated3 - 5.31)).toBeLessThan(0.5);
    const anchored = summary(furthest({ anchors: 'masked+visible' }), 0.65);
    expect(anchored.isolated3).toBe(0);
    expect(Math.abs(anchored.cover - 4.28)).toBeLessThan(0.2);
    expect(Math.abs(anchored.known - 2.78)).toBeLessThan(0.05);
  });

  test('the largest sum of distances isolates more than chance does', () => {
    const made = summary(furthest({ criterion: 'max-sum' }), 0.5);
    expect(Math.abs(made.isolated3 - 5.8)).toBeLessThan(0.5);
    expect(Math.abs(made.cover - 5.47)).toBeLessThan(0.25);
    expect(made.images).toBeGreaterThan(88);
  });

  test.each([
    // Percent alone in 3 x 3, percent of images with one, cover, known tokens around.
    [0.25, 0, 0, 1.33, 5.84],
    [0.5, 0.6, 38.3, 2.54, 3.82],
    [0.65, 4.86, 98.4, 4.41, 2.57],
  ])('running cell at γ %d lies between random and furthest', (ratio, isolated3, images, cover, known) => {
    const made = summary(runningCellPicker(0.5), ratio);
    expect(Math.abs(made.isolated3 - isolated3)).toBeLessThan(isolated3 === 0 ? 0.02 : 0.1 * isolated3 + 0.15);
    expect(Math.abs(made.images - images)).toBeLessThan(14);
    expect(Math.abs(made.cover - cover)).toBeLessThan(0.15);
    expect(Math.abs(made.known - known)).toBeLessThan(0.06);
  });

  test('under a 7 x 7 kernel nobody is alone, whichever way tokens are chosen', () => {
    for (const pick of [pickRandom, furthest(), furthest({ anchors: 'masked+visible' }), furthest({ criterion: 'max-sum' }), runningCellPicker(0.5)]) {
      expect(summary(pick, 0.65).isolated7).toBe(0);
    }
  });
});
