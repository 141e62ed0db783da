import type { PlanCounts, TokenPlan } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { expectedLoads, type SparseCost } from './cost.js';
import { sparseSwinEncoder, type SparseSwinOptions } from './encoder.js';
import { sparseSwinStages } from './stages.js';
import { sparseTables } from './tables.js';

const base: SparseSwinOptions = {
  image: { height: 224, width: 224, channels: 3 },
  patch: { height: 4, width: 4 },
  width: 128,
  depths: [2, 2, 18, 2],
  heads: [4, 8, 16, 32],
  window: 7,
  mlpRatio: 4,
  embedPatches: 'all',
  grouping: 'released',
};
const counts: PlanCounts = { visible: 12, retained: 37, thrown: 0 };
const giga = (options: SparseSwinOptions, part: 'patch' | 'encoder'): number => (sparseSwinEncoder(options).macs(counts)[part] as number) / 1e9;

describe('the expected cost of the sparse Swin', () => {
  // Specification, section 8: blocks and mergings in the mean over random masks with the official grouping.
  it.each([
    ['Swin-B, window 7', base, 3.83],
    ['Swin-B, window 14', { ...base, window: 14 }, 3.87],
    ['Swin-L, window 14', { ...base, window: 14, width: 192, heads: [6, 12, 24, 48] }, 8.61],
  ])('is the published mean for %s', (_name, options, expected) => {
    expect(Math.abs(giga(options, 'encoder') / expected - 1)).toBeLessThan(0.004);
  });

  it('counts the embedding of all patches, or of the visible ones', () => {
    expect(giga(base, 'patch')).toBeCloseTo(0.0193, 4);
    expect(giga({ ...base, embedPatches: 'visible' }, 'patch')).toBeCloseTo(0.0047, 4);
  });

  it('is worked out once for models of the same sizes', () => {
    const cost = (window: number): SparseCost => ({ stages: sparseSwinStages({ ...base, window, depths: [1, 1], heads: [4, 8], image: { height: 32, width: 32, channels: 3 } }), rule: 'released', wholeBlocks: true });
    expect(expectedLoads(cost(2), 3)).toBe(expectedLoads(cost(2), 3));
    expect(expectedLoads(cost(2), 4)).not.toBe(expectedLoads(cost(2), 3));
    expect(expectedLoads(cost(4), 3)).not.toBe(expectedLoads(cost(2), 3));
  });

  it('is less where only attention meets the padding', () => {
    expect(giga({ ...base, grouping: 'compact' }, 'encoder')).toBeLessThan(0.99 * giga(base, 'encoder'));
  });

  it('is less where the size of groups is searched, too', () => {
    const [released, searched] = (['released', 'searched'] as const).map((grouping) => giga({ ...base, grouping }, 'encoder'));
    expect(searched! / released!).toBeLessThan(1);
    expect(searched! / released!).toBeGreaterThan(0.97);
  });

  it('is that of the dense Swin for whole images', () => {
    const whole = sparseSwinEncoder(base).macs({ visible: 49, retained: 0, thrown: 0 });
    expect(((whole['encoder'] as number) + (whole['patch'] as number)) / 1e9).toBeCloseTo(15.43, 2);
  });
});

describe('the cost of one given mask', () => {
  const units = Int32Array.from({ length: 12 }, (_, i) => 4 * i + (i % 3));
  const costOf = (options: SparseSwinOptions): number => {
    const plan: TokenPlan = { grid: { rows: 7, columns: 7 }, visible: units, retained: new Int32Array(37), thrown: new Int32Array(0), aux: sparseTables(sparseSwinStages(options), units, options.grouping) };
    return (sparseSwinEncoder(options).macs(counts, plan)['encoder'] as number) / 1e9;
  };

  it('counts slots up to the window area and groups up to their bucket', () => {
    expect(costOf(base)).toBeGreaterThan(1.02 * giga(base, 'encoder'));
  });

  it('hardly feels that padding where only attention meets it', () => {
    const compact = { ...base, grouping: 'compact' } as const;
    const padding = costOf(compact) / giga(compact, 'encoder');
    expect(padding).toBeGreaterThan(1);
    expect(padding).toBeLessThan(1.005);
  });
});
