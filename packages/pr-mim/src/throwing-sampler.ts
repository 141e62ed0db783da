import { CompositionError, type Grid, type PlanCounts, type Sampler, type TokenPlan } from '@mimlab/core';
import { throwCounts, type ThrowRule } from './counting.js';
import type { Picker } from './samplers/picker.js';

export interface ThrowingOptions {
  readonly rule: ThrowRule;
  readonly pick: Picker;
  /** Loss subsetting: the picks lead the retained tokens, nothing is thrown, and the decoder keeps its full length. */
  readonly subset: boolean;
}

/**
 * A method's sampler with part of its masked tokens thrown. Masks are the inner sampler's own, drawn from
 * `streams.mask`; picks come from `streams.sample`, so changing the picker leaves masks and crops unchanged.
 */
export function throwingSampler(inner: Sampler, { rule, pick, subset }: ThrowingOptions): Sampler {
  const thrownCounts = (grid: Grid): PlanCounts => {
    const { visible, retained, thrown } = inner.counts(grid);
    if (thrown > 0) {
      throw new CompositionError(`the sampler below throws ${thrown} tokens already`, {
        place: 'pr-mim',
        remedy: `Wrap a method once, and keep a sampler that throws by itself out of 'hooks.sampler'.`,
      });
    }
    return throwCounts(visible, retained, rule);
  };
  return {
    scope: inner.scope,
    counts(grid) {
      const { visible, retained, thrown } = thrownCounts(grid);
      return subset ? { visible, retained: retained + thrown, thrown: 0 } : { visible, retained, thrown };
    },
    sample(context) {
      const plan = inner.sample(context);
      const { retained: keep, thrown } = thrownCounts(context.grid);
      if (thrown === 0) return plan;
      const picked = pick({ grid: plan.grid, visible: plan.visible, masked: plan.retained, keep, random: context.streams.sample });
      return divided(plan, picked, subset);
    },
  };
}

/** The plan with the picked positions of its masked tokens first (`subset`) or alone. */
function divided(plan: TokenPlan, picked: Int32Array, subset: boolean): TokenPlan {
  const masked = plan.retained;
  const chosen = new Uint8Array(masked.length);
  for (const position of picked) chosen[position] = 1;
  const retained = picked.map((position) => masked[position] as number);
  const rest = masked.filter((_, position) => chosen[position] === 0);
  if (!subset) return { ...plan, retained, thrown: rest.sort() };
  const all = new Int32Array(masked.length);
  all.set(retained);
  all.set(rest, retained.length);
  return { ...plan, retained: all, thrown: new Int32Array(0) };
}
