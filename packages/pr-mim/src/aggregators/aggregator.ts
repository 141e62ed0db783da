import type { Branch, Grid, Params, ParamSpecs } from '@mimlab/core';
import type { Tensor3D } from '@tensorflow/tfjs-core';

/** Makes tokens for every cell of the grid from those of others, between a branch's blocks and its final norm. */
export interface Aggregator {
  params(): ParamSpecs;
  /**
   * @param tokens_BNd the grid in raster order, filled where no token stands
   * @param sources_BN1 1 where a token stands
   * @returns [B, N, d]
   */
  apply(tokens_BNd: Tensor3D, sources_BN1: Tensor3D, params: Params): Tensor3D;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
}

/** What an aggregation is made for. */
export interface AggregatorSite {
  readonly branch: Branch;
  readonly grid: Grid;
}

/** Names of an aggregation's parameters: `prmim.BRANCH.conv.weight`. */
export const ownPrefix = (branch: string): string => `prmim.${branch}`;
