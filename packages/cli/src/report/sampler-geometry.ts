import { neutralState, planGeometry, randomStream, type Crop, type PlanGeometry, type TokenPlan } from '@mimlab/core';
import type { RunContext } from '../run/run-context.js';

/** How a run's sampler surrounds thrown tokens: the quantities of the PR-MIM specification, section 6.4, in grid steps. */
export interface SamplerGeometry {
  /** Plans that were measured. */
  readonly plans: number;
  /** One of them, and what was measured of it. */
  readonly example: TokenPlan;
  readonly exampleDistances: Float64Array;
  /** The sampler follows attention, which plans outside a run have none of: here all tokens are attended alike. */
  readonly withoutAttention: boolean;
  /** Absent where nothing is thrown. */
  readonly measured?: {
    /** From a thrown token to its nearest known one: mean, largest of an image averaged, largest of all. */
    readonly mean: number;
    readonly max: number;
    readonly worst: number;
    /** Share of thrown tokens without a known one in the s x s square around them. */
    readonly isolated: { readonly 3: number; readonly 5: number; readonly 7: number };
    /** Share of images with at least one token isolated in 3 x 3. */
    readonly images: number;
    /** Largest distance to the nearest retained token, averaged over images. */
    readonly cover: number;
    /** Mean number of known tokens in the 3 x 3 square. */
    readonly around: number;
    /** Share of thrown tokens at each distance, near ones first. */
    readonly distances: readonly { readonly distance: number; readonly share: number }[];
  };
}

export const PLANS = 1000;
/** Pairs of tokens that are compared at most: fine grids get fewer plans. */
const PAIRS = 2e7;
const FEWEST = 5;

/** Makes plans by the run's own sampler with streams of their own, and measures them. A pure function of the run and its seed. */
export function samplerGeometry({ objective, config }: Pick<RunContext, 'objective' | 'config'>, plans = PLANS): SamplerGeometry {
  const { sampler, grid, image } = objective;
  const crop: Crop = { top: 0, left: 0, height: image.height, width: image.width, sourceHeight: image.height, sourceWidth: image.width, flip: false };
  const planOf = (index: number): TokenPlan => {
    const streams = { mask: randomStream(config.seed, 'report', 'mask', index), sample: randomStream(config.seed, 'report', 'sample', index) };
    return sampler.sample({ grid, streams, sampleId: index, epoch: 0, crop, ...neutralState(sampler, grid) });
  };
  const example = planOf(0);
  const pairs = example.thrown.length * (example.visible.length + example.retained.length);
  const count = Math.min(plans, Math.max(FEWEST, Math.floor(PAIRS / Math.max(1, pairs))));
  const known = { plans: count, example, withoutAttention: sampler.state !== undefined };
  if (example.thrown.length === 0) return { ...known, exampleDistances: new Float64Array(0) };
  const each = Array.from({ length: count }, (_, index) => planGeometry(planOf(index)));
  return { ...known, exampleDistances: (each[0] as PlanGeometry).distances, measured: joined(each) };
}

function joined(each: readonly PlanGeometry[]): NonNullable<SamplerGeometry['measured']> {
  const average = (read: (geometry: PlanGeometry) => number): number => each.reduce((sum, geometry) => sum + read(geometry), 0) / each.length;
  const thrown = each.reduce((sum, { distances }) => sum + distances.length, 0);
  const isolated = (side: 3 | 5 | 7): number => each.reduce((sum, geometry) => sum + geometry.isolated[side], 0) / thrown;
  return {
    mean: each.reduce((sum, { distances, meanDistance }) => sum + meanDistance * distances.length, 0) / thrown,
    max: average(({ maxDistance }) => maxDistance),
    worst: Math.max(...each.map(({ maxDistance }) => maxDistance)),
    isolated: { 3: isolated(3), 5: isolated(5), 7: isolated(7) },
    images: average((geometry) => Number(geometry.isolated[3] > 0)),
    cover: average(({ cover }) => cover),
    around: each.reduce((sum, { knownAround, distances }) => sum + knownAround * distances.length, 0) / thrown,
    distances: shares(each, thrown),
  };
}

/** Squared distances on a grid are whole numbers, so equal distances are told by them. */
function shares(each: readonly PlanGeometry[], thrown: number): { distance: number; share: number }[] {
  const counts = new Map<number, number>();
  for (const { distances } of each) {
    for (const distance of distances) {
      const squared = Math.round(distance * distance);
      counts.set(squared, (counts.get(squared) ?? 0) + 1);
    }
  }
  return [...counts].sort(([a], [b]) => a - b).map(([squared, count]) => ({ distance: Math.sqrt(squared), share: count / thrown }));
}
