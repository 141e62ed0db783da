import { cellsOf, type Grid, type Params, type ParamSpecs, type PlanTensors, type TokenCells } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { localMimHeadMacs, type LocalMimScale } from '../cost/frameworks.js';
import { linearMacs } from '../cost/vit.js';
import { gatherRows, restoreRows } from '../layers/gather-rows.js';
import { linear } from '../layers/linear.js';
import { linearParams } from '../params/specs.js';
import { groupMeans } from './cell-groups.js';
import { scaleHead, scaleHeadParams } from './scale-head.js';

/** What makes predictions of normed tokens. */
export interface PredictionHead {
  readonly params: ParamSpecs;
  /** Works on every token by itself. */
  readonly tokenwise: boolean;
  /** @returns a row of predictions for each token, and the tokens' cells. */
  predict(rows: Tensor2D, cells: TokenCells, plan: PlanTensors, params: Params): { readonly rows: Tensor2D; readonly cells: TokenCells };
  macs(tokens: number): number;
}

export interface HeadOptions {
  readonly prefix: string;
  readonly scale: LocalMimScale;
  readonly width: number;
  readonly values: number;
  readonly grid: Grid;
  /** Cells that heads of scale 1 and finer work on: those of the tokens alone, or the whole grid as released codes do. */
  readonly headTokens: 'scored' | 'grid';
}

/** Predictions finer or coarser than the tokens. */
export function scaledHead({ prefix, scale, width, values, grid, headTokens }: HeadOptions): PredictionHead {
  const everywhere = headTokens === 'grid';
  return {
    params: scaleHeadParams(prefix, scale, width, values),
    tokenwise: scale >= 1 && !everywhere,
    predict(rows, cells, plan, params) {
      const head = (x: Tensor2D): Tensor2D => scaleHead(x, params, prefix, scale);
      if (scale < 1) return { rows: head(groupMeans(rows, cells, plan)), cells: 'grid' };
      if (!everywhere || cells === 'grid') return { rows: head(rows), cells };
      // Zeros stand in for thrown tokens.
      return { rows: gatherRows(head(restoreRows(rows, plan.gridRows, plan.knownRows)), plan.knownRows, plan.gridRows), cells };
    },
    macs: (tokens) => localMimHeadMacs(scale, scale < 1 || everywhere ? cellsOf(grid) : tokens, width, values),
  };
}

/** One prediction for each of the `scale`^2 tokens that travel as one. */
export function cellHead({ prefix, scale, width, values }: Omit<HeadOptions, 'grid' | 'headTokens'>): PredictionHead {
  const square = scale ** 2;
  return {
    params: linearParams(prefix, width, values),
    tokenwise: true,
    predict: (rows, cells, _plan, params) => ({ rows: tf.reshape(linear(rows, params, prefix), [-1, square * values]), cells }),
    macs: (tokens) => linearMacs(tokens * square, width, values),
  };
}
