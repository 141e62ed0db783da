import type { Scalar, Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { MacParts } from '../cost.js';
import type { Grid } from '../image.js';
import type { Params, ParamSpecs } from '../params.js';
import type { PlanTensors } from '../plan/plan-batch.js';
import type { PlanCounts, TokenPlan } from '../plan/token-plan.js';
import type { EncoderTrunk } from './trunk.js';

/** A random tensor that a step takes as an input, so that eager, graph and resumed runs see the same draws. */
export interface RandomInput {
  readonly shape: readonly number[];
  readonly distribution: 'uniform' | 'normal';
}

/** What the hooks learn about the step they are part of. */
export interface StepContext {
  readonly training: boolean;
  /** Draws asked for by `randomInputs`, by name. */
  readonly random: Readonly<Record<string, Tensor>>;
}

/** What a named feature is: [B, (1 +) tokens, width]. */
export interface FeatureSpec {
  readonly width: number;
  /** Which cells its tokens stand for: the visible ones or the known ones in plan order, or every cell in raster order. */
  readonly cells: 'visible' | 'known' | 'grid';
  /** A class token stands in front. */
  readonly cls: boolean;
  /** `cells: 'grid'` only: the grid they belong to, where a hierarchical encoder leaves a coarser one than plans speak of. */
  readonly grid?: Grid;
}

export interface Encoder {
  /** The grid of tokens that plans speak of. */
  readonly grid: Grid;
  /** What `encode` returns, by name. Decoders check it when a run is put together. */
  readonly features: Readonly<Record<string, FeatureSpec>>;
  /** The feature that evaluation reads. */
  readonly output: string;
  /** What fine-tuning builds classifiers from. Absent: only frozen features can be evaluated. */
  readonly trunk?: EncoderTrunk;
  params(): ParamSpecs;
  randomInputs?(batch: number): Readonly<Record<string, RandomInput>>;
  /** Pure. `images_BHWC` are normalised float32. Hidden pixels must not reach the features. */
  encode(images_BHWC: Tensor4D, plan: PlanTensors, params: Params, context: StepContext): Record<string, Tensor>;
  /**
   * Softmax attention of the class token to the visible tokens in the last block, [B, heads, V] in the order of the plan
   * (the class token's attention to itself is left out, so rows add up to less than 1). Asked for between epochs, with
   * full plans, by samplers that follow attention. Absent: the encoder has no class token, or does not offer it.
   */
  classAttention?(images_BHWC: Tensor4D, plan: PlanTensors, params: Params, context: StepContext): Tensor3D;
  /** Numbers to watch that are no losses (MFF's fusion weights), from the parameters alone. Logged beside the parts of the loss. */
  watch?(params: Params): Readonly<Record<string, Scalar>>;
  /**
   * Cost of `encode` for one image with these counts. Where it depends on more of a plan than its counts (GreenMIM's
   * groups), `plan` asks for the cost of this very plan, padding to fixed shapes included; without it the mean is given.
   */
  macs(counts: PlanCounts, plan?: TokenPlan): MacParts;
}
