import { loadRunContext } from '@mimlab/cli';
import { examplePlan, stepInputSpecs } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { configuration } from './catalogue.mjs';
import { syntheticBatch } from './synthetic-batch.mjs';

const folders = { cifar10: '/images' };
const objectiveOf = async (method, gamma) => {
  const { preset, set } = configuration(method, 'small', gamma, folders);
  return (await loadRunContext(preset, set)).objective;
};

describe('a synthetic batch', () => {
  // LocalMIM computes histograms on the host.
  it.each([['mae', 0.5], ['localmim', 0], ['simmim', 0.25]])('of %s with γ %f has the inputs of its step', async (method, gamma) => {
    const objective = await objectiveOf(method, gamma);
    const wanted = Object.entries(stepInputSpecs(objective, 3, examplePlan(objective))).filter(([name]) => !name.startsWith('random.'));
    const batch = syntheticBatch(objective, 3);
    expect(Object.fromEntries(Object.entries(batch).map(([name, { shape, dtype }]) => [name, { shape, dtype }]))).toEqual(Object.fromEntries(wanted));
    for (const { shape, data } of Object.values(batch)) expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
  });

  it('gives one plan to all images where the sampler plans for the whole batch', async () => {
    const { 'plan.visible': visible } = syntheticBatch(await objectiveOf('greenmim', 0.5), 2);
    const [first, second] = [visible.data.slice(0, visible.shape[1]), visible.data.slice(visible.shape[1])];
    expect(second).toEqual(first);
  });

  it('gives every image a plan of its own elsewhere, and host targets that follow its pixels', async () => {
    const { 'plan.visible': visible, ...batch } = syntheticBatch(await objectiveOf('localmim', 0), 2);
    expect(visible.data.slice(visible.shape[1])).not.toEqual(visible.data.slice(0, visible.shape[1]));
    const targets = Object.entries(batch).filter(([name]) => name.startsWith('host.'));
    for (const [, { data }] of targets) expect(data.slice(data.length / 2)).not.toEqual(data.slice(0, data.length / 2));
    expect(targets.length).toBeGreaterThan(0);
  });
});
