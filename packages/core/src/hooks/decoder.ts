import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { MacParts } from '../cost.js';
import type { Grid } from '../image.js';
import type { Initializer, Params, ParamSpecs } from '../params.js';
import type { PlanTensors } from '../plan/plan-batch.js';
import type { PlanCounts } from '../plan/token-plan.js';
import type { RandomInput, StepContext } from './encoder.js';

/** Cells that tokens or predictions stand for: known tokens in known order, the retained ones, or the whole grid in raster order. */
export type TokenCells = 'known' | 'retained' | 'grid';

/** Tokens of one branch. */
export interface TokenSet {
  readonly tokens_BSd: Tensor3D;
  readonly cells: TokenCells;
  /** The class token, where the branch has one; it goes round any aggregation. Sets of the whole grid have it only where the prediction needs it. */
  readonly cls_B1d?: Tensor3D;
}

/** Predicted values by name, [B, tokens, values] for the cells they stand for (a branch may use other ranks for other names). */
export interface Prediction {
  readonly values: Readonly<Record<string, Tensor>>;
  readonly cells: TokenCells;
}

/** One output of a decoder, and what a wrapper may need of it. A wrapper refuses an option whose field is missing. */
export interface Branch {
  readonly name: string;
  readonly width: number;
  /** Cells of the set that `decode` gives for this branch, and whether a class token comes with it. */
  readonly cells: 'known' | 'grid';
  readonly cls: boolean;
  /** `cells: 'grid'` only: the grid of the tokens, where it is not the one that plans speak of. Predictions are for the plan's. */
  readonly grid?: Grid;
  /** `predict` cannot do without the class token (TEC's attention asks from it): wrappers pass it on. */
  readonly predictsCls?: boolean;
  /** Attention heads of its blocks. */
  readonly heads: number;
  /** `predict` works on every token by itself: tokens without loss may be dropped before it. */
  readonly tokenwise: boolean;
  /** The host's rule for the weight and bias of a depth-wise convolution. */
  readonly convInit: { readonly weight: (kernel: number) => Initializer; readonly bias: (kernel: number) => Initializer };
  /** Names of the parameters of the final norm and of the head, for wrappers that give thrown tokens their own. */
  readonly normParams: readonly string[];
  readonly headParams: readonly string[];
  /** The vector [d] that stands in for a hidden token. */
  maskToken?(params: Params): Tensor;
  /** Position vectors of the grid, [N, d], raster order. */
  positions_Nd?(params: Params): Tensor2D;
}

/**
 * Decoding is cut in two. Between `decode` and `predict` sits any aggregation: it takes each branch's `known` set and
 * gives back a `grid` set.
 */
export interface Decoder {
  readonly branches: readonly Branch[];
  params(): ParamSpecs;
  randomInputs?(batch: number): Readonly<Record<string, RandomInput>>;
  /** Tokens of every branch before its final norm, by branch name. */
  decode(features: Readonly<Record<string, Tensor>>, plan: PlanTensors, params: Params, context: StepContext): Record<string, TokenSet>;
  /**
   * Final norm and head of one branch; works on `cls_B1d` too where given, and drops it. Keeps the cells of the set, or
   * gives the whole grid where a head mixes tokens.
   */
  predict(branch: string, set: TokenSet, plan: PlanTensors, params: Params, context: StepContext): Prediction;
  /** Cost of `decode` for one image. */
  decodeMacs(counts: PlanCounts): MacParts;
  /** Cost of `predict` for one image when its set holds `tokens` tokens, class token included. */
  predictMacs(branch: string, tokens: number): MacParts;
}
