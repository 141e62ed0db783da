import { CompositionError } from '@mimlab/core';
import type { ProgressiveOptions } from '../progressive-options.js';
import type { Aggregator, AggregatorSite } from './aggregator.js';
import { averagePoolAggregator } from './avgpool.js';
import { convNextAggregator } from './convnext.js';
import { depthwiseAggregator } from './dwconv.js';
import { transformerAggregator } from './transformer.js';

/**
 * The aggregation of one branch.
 * @throws CompositionError if the branch lacks what the options need of it.
 */
export function createAggregator(site: AggregatorSite, { aggregator, fill, normalizeByCount }: ProgressiveOptions): Aggregator {
  const { kind, kernel, init, bias, countKnown, scale } = aggregator;
  const { branch } = site;
  if ((kind === 'convnext' || (kind === 'dwconv' && init === 'host')) && (branch as { convInit?: unknown }).convInit === undefined) {
    throw new CompositionError(`branch '${branch.name}' does not say how its convolutions start`, {
      place: 'pr-mim.aggregator',
      remedy: `Use a dwconv with init 'uniform' or 'mean', or give the branch a 'convInit'.`,
    });
  }
  switch (kind) {
    case 'dwconv':
      return depthwiseAggregator(site, { kernel, init, bias, normalizeByCount });
    case 'avgpool':
      return averagePoolAggregator(site, { kernel, countKnown });
    case 'convnext':
      return convNextAggregator(site, { kernel, scale });
    case 'transformer': {
      const positions = fill === 'zero';
      if (positions && branch.positions_Nd === undefined) {
        throw new CompositionError(`branch '${branch.name}' has no position vectors, and without them the transformer cannot tell thrown cells apart`, {
          place: 'pr-mim.aggregator.kind',
          remedy: `Use another aggregator, or give the branch 'positions_Nd'.`,
        });
      }
      return transformerAggregator(site, { positions });
    }
  }
}
