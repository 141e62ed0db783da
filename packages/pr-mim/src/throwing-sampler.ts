import { CompositionError, type Grid, type PlanCounts, type SampleContext, type Sampler } from '@mimlab/core';
import { throwCounts, type ThrowRule } from './counting.js';
import { cellsOfUnits, countsInTokens, countsInUnits, dividedPlan, unitsOf, unitsOfCells, unitWeights, type ThrowUnit } from './mask-units.js';
import type { Picker } from './samplers/picker.js';

export interface ThrowingOptions {
  readonly rule: ThrowRule;
  readonly pick: Picker;
  /** Loss subsetting: the picks lead the retained tokens, nothing is thrown, and the decoder keeps its full length. */
  readonly subset: boolean;
  /** What is picked and thrown as a whole. Default: single tokens. */
  readonly throwUnit?: ThrowUnit;
  /** How much the cells of an image are attended to, for pickers that ask; undefined while that is not known. */
  readonly attention?: (context: SampleContext) => Float64Array | undefined;
}

/**
 * V, K and T by the counting rule, around a sampler that throws nothing itself. With mask units the rule counts units.
 * @throws CompositionError if the sampler throws, ConfigError if the ratio leaves nothing.
 */
export function dividedCounts(inner: Sampler, grid: Grid, { rule, throwUnit = 'token' }: Pick<ThrowingOptions, 'rule' | 'throwUnit'>): PlanCounts {
  const counts = inner.counts(grid);
  if (counts.thrown > 0) {
    throw new CompositionError(`the sampler below throws ${counts.thrown} tokens already`, {
      place: 'pr-mim',
      remedy: `Wrap a method once, and keep a sampler that throws by itself out of 'hooks.sampler'.`,
    });
  }
  const units = unitsOf(inner, grid, throwUnit);
  const { visible, retained } = countsInUnits(counts, units);
  return countsInTokens(throwCounts(visible, retained, rule), units);
}

/** Under loss subsetting nothing is thrown. */
export const subsetCounts = ({ visible, retained, thrown }: PlanCounts, subset: boolean): PlanCounts =>
  subset ? { visible, retained: retained + thrown, thrown: 0 } : { visible, retained, thrown };

/**
 * A method's sampler with part of its masked tokens thrown. Masks are the inner sampler's own, drawn from
 * `streams.mask`; picks come from `streams.sample`, so changing the picker leaves masks and crops unchanged.
 */
export function throwingSampler(inner: Sampler, options: ThrowingOptions): Sampler {
  const { pick, subset, throwUnit = 'token', attention } = options;
  return {
    ...inner,
    counts: (grid) => subsetCounts(dividedCounts(inner, grid, options), subset),
    sample(context) {
      const plan = inner.sample(context);
      const { retained, thrown } = dividedCounts(inner, context.grid, options);
      if (thrown === 0) return plan;
      const units = unitsOf(inner, context.grid, throwUnit);
      const masked = unitsOfCells(units, plan.retained);
      const weights = attention?.(context);
      const picked = pick({
        grid: units.grid,
        visible: unitsOfCells(units, plan.visible),
        masked,
        keep: retained / units.size,
        random: context.streams.sample,
        ...(weights === undefined ? {} : { attention: unitWeights(units, weights) }),
      });
      const chosen = new Uint8Array(masked.length);
      for (const position of picked) chosen[position] = 1;
      const rest = masked.filter((_, position) => chosen[position] === 0);
      return dividedPlan(plan, cellsOfUnits(units, picked.map((position) => masked[position] as number)), cellsOfUnits(units, rest), subset);
    },
  };
}
