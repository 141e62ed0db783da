import type { Objective, Sampler, TokenPlan } from '@mimlab/core';
import { expect, it } from 'vitest';
import { samplerGeometry } from './sampler-geometry.js';

const grid = { rows: 1, columns: 5 };

/** A run whose sampler makes plans of one row of five cells. */
const run = (sample: Sampler['sample'], state?: Sampler['state']): Parameters<typeof samplerGeometry>[0] =>
  ({
    config: { seed: 7 },
    objective: { grid, image: { height: 4, width: 20, channels: 1 }, sampler: { scope: 'image', sample, ...(state === undefined ? {} : { state }) } as unknown as Sampler } as unknown as Objective,
  }) as Parameters<typeof samplerGeometry>[0];

const plan = (visible: number[], retained: number[], thrown: number[]): TokenPlan => ({ grid, visible: Int32Array.from(visible), retained: Int32Array.from(retained), thrown: Int32Array.from(thrown) });

it('joins the plans of a sampler to the quantities of the specification', () => {
  // Even plans have distances 1 and 1, odd ones 1, 2 and one token isolated in 3 x 3.
  const sampler = ({ sampleId }: { sampleId: number }): TokenPlan => (sampleId % 2 === 0 ? plan([0, 1], [3], [2, 4]) : plan([0, 1], [2], [3, 4]));
  const { measured, plans } = samplerGeometry(run(sampler), 10);
  expect(plans).toBe(10);
  expect(measured).toMatchObject({ mean: 1.25, max: 1.5, worst: 2, isolated: { 3: 0.25, 5: 0, 7: 0 }, images: 0.5, cover: 1.5 });
  expect(measured?.distances).toEqual([
    { distance: 1, share: 0.75 },
    { distance: 2, share: 0.25 },
  ]);
});

it('shows the first plan with its distances', () => {
  const geometry = samplerGeometry(run(() => plan([0], [1], [2, 3, 4])), 3);
  expect([...geometry.example.thrown]).toEqual([2, 3, 4]);
  expect([...geometry.exampleDistances]).toEqual([1, 2, 3]);
});

it('draws from streams of the seed, so that a report says the same twice', () => {
  const drawn: number[][] = [[], []];
  for (const times of drawn) {
    samplerGeometry(
      run(({ streams }) => {
        times.push(streams.mask.uniform(), streams.sample.uniform());
        return plan([0, 1], [2], [3, 4]);
      }),
      2,
    );
  }
  expect(drawn[0]).toEqual(drawn[1]);
  expect(new Set(drawn[0]?.slice(0, 2)).size).toBe(2);
});

it('measures nothing where nothing is thrown', () => {
  const geometry = samplerGeometry(run(() => plan([0, 1], [2, 3, 4], [])));
  expect(geometry.measured).toBeUndefined();
});

it('says when plans would follow attention, and gives the sampler a state that tells no tokens apart', () => {
  const states: (Float32Array | undefined)[] = [];
  const rule = { width: () => 5, isDueBefore: () => true, fromAttention: (attention: Float32Array) => attention };
  const sample: Sampler['sample'] = ({ state }) => {
    states.push(state);
    return plan([0, 1], [2], [3, 4]);
  };
  expect(samplerGeometry(run(sample, rule), 1).withoutAttention).toBe(true);
  expect(states[0]).toEqual(new Float32Array(5).fill(1));
  expect(samplerGeometry(run(sample), 1).withoutAttention).toBe(false);
});

it('takes fewer plans of a fine grid', () => {
  const fine = { rows: 40, columns: 40 };
  const cells = Array.from({ length: 1600 }, (_, cell) => cell);
  const sample = (): TokenPlan => ({ ...plan(cells.slice(0, 400), cells.slice(400, 800), cells.slice(800)), grid: fine });
  expect(samplerGeometry(run(sample)).plans).toBe(31);
});

it('counts each plan by the tokens it throws, not by its number', () => {
  // One plan throws a token at distance 1, the next three of distances 1, 2 and 3.
  const sampler = ({ sampleId }: { sampleId: number }): TokenPlan => (sampleId === 0 ? plan([0, 1, 2], [3], [4]) : plan([0], [1], [2, 3, 4]));
  const { measured } = samplerGeometry(run(sampler), 2);
  expect(measured?.mean).toBe((1 + 1 + 2 + 3) / 4);
  expect(measured?.isolated[3]).toBe(2 / 4);
  expect(measured?.max).toBe((1 + 3) / 2);
  expect(measured?.images).toBe(1 / 2);
});

it('has shares of distances that make up all thrown tokens, near ones first', () => {
  const distances = samplerGeometry(run(() => plan([2], [1], [0, 3, 4])), 3).measured?.distances ?? [];
  expect(distances.map(({ distance }) => distance)).toEqual([1, 2]);
  expect(distances.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
});

it('takes whole images of the size of the run, each with a number of its own', () => {
  const seen: unknown[] = [];
  const sample: Sampler['sample'] = ({ sampleId, crop, epoch }) => {
    seen.push([sampleId, epoch, crop]);
    return plan([0], [1], [2, 3, 4]);
  };
  samplerGeometry(run(sample), 2);
  const crop = { top: 0, left: 0, height: 4, width: 20, sourceHeight: 4, sourceWidth: 20, flip: false };
  expect(seen).toEqual([[0, 0, crop], [0, 0, crop], [1, 0, crop]]);
});
