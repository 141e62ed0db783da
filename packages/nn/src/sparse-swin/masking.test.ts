import { checkPlan, randomStream, type SampleContext, type TokenPlan } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { randomMasking } from '../sampling/random-masking.js';
import { unitMasking } from '../sampling/unit-masking.js';
import { sparseSwinEncoder, type SparseSwinOptions } from './encoder.js';
import { checkSparseSampler, sparseMasking, type SparseMasking } from './masking.js';
import { sparseSwinStages } from './stages.js';

// 8 x 8 patches in two stages: 4 x 4 units.
const image = { height: 16, width: 16, channels: 3 };
const options: SparseSwinOptions = { image, patch: { height: 2, width: 2 }, width: 4, depths: [2, 1], heads: [1, 1], window: 2, mlpRatio: 2, embedPatches: 'visible', grouping: 'compact' };
const stages = sparseSwinStages(options);
const grid = { rows: 4, columns: 4 };
const masking = randomMasking({ maskRatio: 0.75 });
const samplerOf = (changed: Partial<SparseMasking> = {}) => sparseMasking({ stages, grouping: 'compact', masking, ...changed });
const context = (sampleId: number): SampleContext => ({
  grid,
  streams: { mask: randomStream('mask', sampleId), sample: randomStream('sample', sampleId) },
  sampleId,
  epoch: 0,
  crop: { top: 0, left: 0, height: 16, width: 16, sourceHeight: 16, sourceWidth: 16, flip: false },
});
const ascending = (cells: Int32Array): number[] => [...cells].sort((a, b) => a - b);

describe('masks for a sparse Swin', () => {
  it('makes one plan for a whole batch, hiding what the masking below it hides', () => {
    const sampler = samplerOf();
    expect(sampler.scope).toBe('batch');
    expect(sampler.counts(grid)).toEqual({ visible: 4, retained: 12, thrown: 0 });
    for (let id = 0; id < 20; id++) checkPlan(sampler.sample(context(id)));
  });

  it('lists visible units in raster order, where the encoder leaves them', () => {
    const { visible } = samplerOf().sample(context(3));
    expect([...visible]).toEqual(ascending(visible));
  });

  it('lists them as they were drawn where this is asked for, and changes nothing else', () => {
    const raster = samplerOf().sample(context(3));
    const released = samplerOf({ visibleOrder: 'drawn' }).sample(context(3));
    expect([...released.visible]).not.toEqual(ascending(released.visible));
    expect(ascending(released.visible)).toEqual([...raster.visible]);
    expect({ ...released, visible: raster.visible }).toEqual(raster);
  });

  it('names the patches of visible units alone', () => {
    const { visible, aux = {} } = samplerOf().sample(context(5));
    const units = [...(aux['cells'] ?? [])].map((cell) => Math.floor(cell / 16) * 4 + Math.floor((cell % 8) / 2));
    expect(units.length).toBe(16);
    expect([...new Set(units)].sort((a, b) => a - b)).toEqual([...visible]);
  });

  it('gives arrays of few kinds of shapes', () => {
    const kindOf = ({ aux = {} }: TokenPlan): string => Object.entries(aux).map(([name, { length }]) => `${name} ${length}`).join();
    expect(new Set(Array.from({ length: 100 }, (_, id) => kindOf(samplerOf().sample(context(id))))).size).toBeLessThanOrEqual(5);
  });

  it('refuses the grid of another encoder', () => {
    expect(() => samplerOf().counts({ rows: 14, columns: 14 })).toThrow(/hooks.sampler: the sampler hides units of a grid of 4 x 4, the encoder has 14 x 14/);
  });

  it('takes any masking of the grid of units', () => {
    const hidden = (units: number, ratio: number): number => Math.trunc(units * ratio) + 1;
    const sampler = samplerOf({ masking: unitMasking({ unit: { rows: 1, columns: 1 }, maskRatio: 0.75, hidden }) });
    expect(sampler.counts(grid)).toEqual({ visible: 3, retained: 13, thrown: 0 });
    const { visible, aux = {} } = sampler.sample(context(1));
    expect([...visible]).toEqual(ascending(visible));
    expect(aux['cells']?.length).toBe(3 * 4);
  });

  it('is what its encoder asks for; others are refused, and it is said why', () => {
    const encoder = sparseSwinEncoder(options);
    expect(() => checkSparseSampler(samplerOf(), encoder, image)).not.toThrow();
    expect(() => checkSparseSampler(masking, encoder, image)).toThrow(/hooks.sampler: the encoder carries visible tokens alone and needs one mask for the whole batch with its group tables/);
  });
});
