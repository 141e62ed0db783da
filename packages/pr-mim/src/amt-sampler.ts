import { cellsOf, CompositionError, ConfigError, type Grid, type PlanCounts, type SampleContext, type Sampler, type TokenPlan } from '@mimlab/core';
import { attentionOf, attentionState, type AttentionOptions } from './attention-state.js';
import { cellsOfUnits, countsInTokens, countsInUnits, dividedPlan, otherCells, unitsOf, unitWeights, type ThrowUnit, type Units } from './mask-units.js';
import { pickRandom } from './samplers/random.js';
import { pickAttended, weightedOrder } from './samplers/weighted-order.js';
import { dividedCounts, subsetCounts, throwingSampler, type ThrowingOptions } from './throwing-sampler.js';

/** AMT's own ratios (`faithful`), both of all tokens. */
export interface AmtRatios {
  readonly mask: number;
  readonly throw: number;
}

export interface AmtOptions extends AttentionOptions, Omit<ThrowingOptions, 'pick' | 'attention'> {
  readonly throwUnit: ThrowUnit;
  /** Given: AMT as released, with these ratios. Else V, K and T are those of every other sampler. */
  readonly faithful?: AmtRatios;
}

/** Attention is gathered for single images, and one sampler's state is all there is. */
function checkInner(inner: Sampler): void {
  const refuse = (problem: string): never => {
    throw new CompositionError(problem, { place: 'pr-mim.sampling', remedy: `Choose 'random', 'furthest' or 'running-cell' for this method.` });
  };
  if (inner.scope === 'batch') refuse('one mask serves the whole batch, so it cannot follow the attention to single images');
  if (inner.state !== undefined) refuse(`the method's sampler keeps a state of its own`);
}

/**
 * AMT's throwing on top of any mask (`amt-throw`): of the masked tokens the attended ones tend to be retained, the others
 * thrown. Masks stay the method's own.
 */
export function amtThrowSampler(inner: Sampler, options: Omit<AmtOptions, 'faithful'>): Sampler {
  const throwing = throwingSampler(inner, { ...options, pick: pickAttended, attention: (context) => attentionOf(context, options) });
  return {
    ...throwing,
    state: attentionState(options),
    counts(grid) {
      checkInner(inner);
      return throwing.counts(grid);
    },
  };
}

/**
 * AMT's counts: floor(N mask) retained, then thrown up to floor(N (mask + throw)); with mask units both are rounded up,
 * as the released code for SimMIM does.
 * @throws ConfigError if no token is retained, or none is visible.
 */
export function amtCounts({ mask, throw: thrownRatio }: AmtRatios, units: Units): PlanCounts {
  const cells = cellsOf(units.grid);
  const round = units.size === 1 ? Math.floor : Math.ceil;
  const retained = round(cells * mask);
  const hidden = round(cells * (mask + thrownRatio));
  if (retained < 1 || hidden >= cells) {
    throw new ConfigError(`AMT with mask ratio ${mask} and throwing ratio ${thrownRatio} retains ${retained} and hides ${hidden} of ${cells} ${units.size === 1 ? 'tokens' : 'mask units'}`, {
      place: 'pr-mim.amtMaskRatio',
      remedy: 'At least one must be retained and one visible: the two ratios, both of all tokens, must add up to less than 1.',
    });
  }
  return countsInTokens({ visible: cells - hidden, retained, thrown: hidden - retained }, units);
}

/**
 * AMT (arXiv:2211.15362): a weighted order of all tokens, the attended ones first, decides masks and throws at once: its
 * head is retained, the middle thrown, the tail visible. It is drawn from `streams.mask`.
 *
 * Before attention was first gathered the method's own masks are used: with nothing thrown (`faithful`), or with random
 * tokens thrown, which is what equal weights would give.
 */
export function amtSampler(inner: Sampler, options: AmtOptions): Sampler {
  const { faithful, subset, throwUnit } = options;
  const before = faithful === undefined ? throwingSampler(inner, { ...options, pick: pickRandom }) : inner;
  const counts = (grid: Grid): PlanCounts => {
    checkInner(inner);
    const divided = dividedCounts(inner, grid, faithful === undefined ? options : { ...options, rule: { ...options.rule, throw: 0 } });
    return faithful === undefined ? divided : amtCounts(faithful, unitsOf(inner, grid, throwUnit));
  };
  const ofAttention = ({ grid, streams }: SampleContext, weights: Float64Array): TokenPlan => {
    const units = unitsOf(inner, grid, throwUnit);
    const { retained, thrown } = countsInUnits(counts(grid), units);
    const order = weightedOrder(unitWeights(units, weights), streams.mask);
    const chosen = cellsOfUnits(units, order.subarray(0, retained));
    const rest = cellsOfUnits(units, order.subarray(retained, retained + thrown));
    return dividedPlan({ grid, visible: otherCells(grid, chosen, rest), retained: chosen, thrown: rest }, chosen, rest, subset);
  };
  return {
    ...inner,
    state: attentionState(options),
    counts: (grid) => subsetCounts(counts(grid), subset),
    sample(context) {
      const weights = attentionOf(context, options);
      if (weights !== undefined) return ofAttention(context, weights);
      const plan = before.sample(context);
      if (plan.aux === undefined) return plan;
      throw new CompositionError('the method needs more than the masks of a plan, which AMT cannot make for masks of its own', {
        place: 'pr-mim.sampling',
        remedy: `Choose 'amt-throw', which keeps the method's masks.`,
      });
    },
  };
}
