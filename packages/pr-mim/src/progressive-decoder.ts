import {
  addMacs,
  CompositionError,
  mergeParams,
  part,
  type Branch,
  type Decoder,
  type Grid,
  type Params,
  type ParamSpecs,
  type PlanTensors,
  type TokenSet,
} from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Aggregator } from './aggregators/aggregator.js';
import { createAggregator } from './aggregators/create-aggregator.js';
import { filled, maskTokenFill, restoreGrid, sourceCells, thrownCells } from './fill.js';
import { merged, mergedApart } from './merge.js';
import type { ProgressiveOptions } from './progressive-options.js';
import { ownOutput } from './thrown-output.js';

/** Name of the part that costs and profiles show the aggregation under. */
const AGGREGATOR = 'aggregator';

/**
 * A decoder that makes the thrown tokens of every branch from the known ones, between its blocks and its final norm:
 * restore the grid, fill, aggregate, merge (PR-MIM specification, section 5.1). Each branch gets an aggregation of its
 * own; the class token goes round it where the prediction needs it, and ends here where it does not.
 * @param asked names of the branches that the target asks for; the others are left as they are. All of them by default.
 * @param encoderParams parameters of the encoder, to which a branch's final norm may belong
 * @throws CompositionError if a branch lacks what the options need of it.
 */
export function progressiveDecoder(inner: Decoder, grid: Grid, options: ProgressiveOptions, asked?: readonly string[], encoderParams: ParamSpecs = {}): Decoder {
  const branches = inner.branches.filter(({ name }) => asked?.includes(name) ?? true);
  const sites = new Map(branches.map((branch) => [branch.name, { branch, aggregator: aggregatorFor(branch, grid, options) }]));
  const output = options.shareNorm && options.shareHead ? undefined : ownOutput(inner, branches, options, encoderParams);
  const aggregators = [...sites.values()].map((site) => site.aggregator);
  const own = (): ParamSpecs => Object.assign({}, ...aggregators.map((aggregator) => aggregator.params()), output?.params());
  // Keeping thrown losses out of retained tokens takes a second pass where those are aggregated too.
  const passes = options.stopGradient === 'known' && options.merge !== 'thrown-only' ? 2 : 1;

  return {
    branches: inner.branches.map((branch) => (sites.has(branch.name) ? { ...branch, cells: 'grid', cls: passesCls(branch) } : branch)),
    params: () => mergeParams({ decoder: inner.params(), 'pr-mim': own() }),
    ...(inner.randomInputs === undefined ? {} : { randomInputs: (batch: number) => inner.randomInputs?.(batch) ?? {} }),
    decode(features, plan, params, context) {
      const sets = Object.entries(inner.decode(features, plan, params, context));
      return Object.fromEntries(
        sets.map(([name, set]) => {
          const site = sites.get(name);
          return [name, site === undefined ? set : part(AGGREGATOR, () => reconstruct(set, plan, params, site.branch, site.aggregator, options))];
        }),
      );
    },
    predict: (branch, set, plan, params, context) =>
      output === undefined ? inner.predict(branch, set, plan, params, context) : output.predict(branch, set, plan, params, context),
    decodeMacs: (counts) => addMacs(inner.decodeMacs(counts), { [AGGREGATOR]: passes * aggregators.reduce((sum, { macs }) => sum + macs, 0) }),
    predictMacs(branch, tokens) {
      const once = inner.predictMacs(branch, tokens);
      return output !== undefined && sites.has(branch) ? addMacs(once, once) : once;
    },
  };
}

/** Steps 2 to 6 for one branch: from its known tokens to tokens in every cell. */
export function reconstruct(set: TokenSet, plan: PlanTensors, params: Params, branch: Branch, aggregator: Aggregator, options: ProgressiveOptions): TokenSet {
  const { merge, source, fill, stopGradient } = options;
  const thrown_BN1 = thrownCells(plan);
  const { maskToken, positions_Nd } = branch;
  const fill_1Nd = fill === 'mask-token' && maskToken && positions_Nd ? maskTokenFill({ maskToken, positions_Nd }, params) : undefined;
  const restored = restoreGrid(set, plan);
  const grid_BNd = filled(restored, tf.sub(1, thrown_BN1), fill_1Nd);
  const sources_BN1 = sourceCells(plan, source);
  const input_BNd = source === 'retained' ? filled(tf.mul(restored, sources_BN1), sources_BN1, fill_1Nd) : grid_BNd;
  const aggregate = (input: typeof input_BNd): typeof input_BNd => aggregator.apply(input, sources_BN1, params);
  const tokens_BSd =
    stopGradient === 'known'
      ? mergedApart(merge, grid_BNd, input_BNd, aggregate, thrown_BN1)
      : merged(merge, grid_BNd, aggregate(input_BNd), thrown_BN1);
  return { tokens_BSd, cells: 'grid', ...(passesCls(branch) && set.cls_B1d !== undefined ? { cls_B1d: set.cls_B1d } : {}) };
}

const passesCls = ({ cls, predictsCls }: Branch): boolean => cls && predictsCls === true;

/** @throws CompositionError if a branch has tokens for the whole grid whatever is thrown. */
export function refuseWholeGrid(branch: Branch): void {
  if (branch.cells === 'known') return;
  throw new CompositionError(`branch '${branch.name}' gives tokens for the whole grid, so there is nothing to throw or to reconstruct`, {
    place: 'pr-mim.throw',
    remedy: 'Wrap a method that works on known tokens, or set throw: 0.',
  });
}

function aggregatorFor(branch: Branch, grid: Grid, options: ProgressiveOptions): Aggregator {
  refuseWholeGrid(branch);
  if (options.fill === 'mask-token' && (branch.maskToken === undefined || branch.positions_Nd === undefined)) {
    throw new CompositionError(`branch '${branch.name}' has no ${branch.maskToken === undefined ? 'mask token' : 'position vectors'} to fill thrown cells with`, {
      place: 'pr-mim.fill',
      remedy: `Set fill: zero, or give the branch 'maskToken' and 'positions_Nd'.`,
    });
  }
  return createAggregator({ branch, grid }, options);
}
