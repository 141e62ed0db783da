import { CompositionError, type TokenPlan } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { tinyBatch, tinyObjective } from '../../testing/tiny-objective.js';
import { checkSameMasks, drawPlans, pairedInputs } from './paired-plans.js';

const lists = (plans: readonly TokenPlan[]): number[][][] => plans.map(({ visible, retained, thrown }) => [[...visible], [...retained], [...thrown]]);
const FIRST = { seed: 0, mask: 0, plan: 0 };

describe('paired plans', () => {
  it('hide the same cells under every sampler', () => {
    const full = drawPlans(tinyObjective('full'), tinyBatch(0), FIRST);
    const partial = drawPlans(tinyObjective('partial'), tinyBatch(0), FIRST);
    expect(partial.map(({ visible }) => [...visible])).toEqual(full.map(({ visible }) => [...visible]));
    expect(() => {
      checkSameMasks(partial, full, 'partial');
    }).not.toThrow();
  });

  it('are the same for the same numbers, and others for another plan, mask, batch or seed', () => {
    const drawn = (index: number, draw: Partial<typeof FIRST>): string => JSON.stringify(lists(drawPlans(tinyObjective('partial'), manyOf(index), { ...FIRST, ...draw })));
    const first = drawn(0, {});
    expect(drawn(0, {})).toBe(first);
    const others = [drawn(0, { plan: 1 }), drawn(0, { mask: 1 }), drawn(0, { seed: 1 }), drawn(1, {})];
    expect(new Set([first, ...others]).size).toBe(5);
  });

  it('choose anew from the same masks with another plan number', () => {
    const visible = (plan: number): number[] => drawPlans(tinyObjective('partial'), manyOf(0), { ...FIRST, plan }).map((drawn) => drawn.visible[0] as number);
    expect(visible(1)).toEqual(visible(0));
  });

  it('serve the whole batch where the sampler plans by batch', () => {
    const [first, second] = drawPlans(tinyObjective('full', { scope: 'batch' }), tinyBatch(0), FIRST);
    expect(second).toBe(first);
  });

  it('are refused from a sampler that hides other cells, by its name', () => {
    const full = drawPlans(tinyObjective('full'), manyOf(0), FIRST);
    const other = drawPlans(tinyObjective('full'), manyOf(0), { ...FIRST, mask: 1 });
    expect(() => {
      checkSameMasks(other, full, 'amt');
    }).toThrow('amt: its sampler hides other cells');
  });

  it('are refused from a sampler that follows attention', () => {
    const state = { width: () => 1, isDueBefore: () => true, fromAttention: () => new Float32Array(1) };
    expect(() => drawPlans(tinyObjective('partial', { state }), tinyBatch(0), FIRST)).toThrow(CompositionError);
  });

  it('come with images and host targets as the inputs of a step', () => {
    const objective = tinyObjective('full');
    const withTargets = { ...objective, target: { ...objective.target, hostTargets: { shapes: { first: [1] }, compute: (pixels: Uint8Array) => ({ first: Float32Array.of(pixels[0] as number) }) } } };
    const batch = tinyBatch(0);
    const inputs = pairedInputs(withTargets, batch, drawPlans(objective, batch, FIRST), 0);
    expect(inputs['images']).toBe(batch.images);
    expect([...(inputs['host.first']?.data ?? [])]).toEqual([batch.images.data[0], batch.images.data[4]]);
    expect(inputs['plan.retained']?.shape).toEqual([2, 3]);
  });
});

/** Thirty-two images: enough that two draws of plans do not agree by chance. */
function manyOf(index: number) {
  const { crops } = tinyBatch(index);
  return { images: { shape: [32, 1, 4, 1], dtype: 'uint8' as const, data: new Uint8Array(128) }, sampleIds: Int32Array.from({ length: 32 }, (_, id) => id), crops: Array.from({ length: 32 }, () => crops[0]!), index };
}
