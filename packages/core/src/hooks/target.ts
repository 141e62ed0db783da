import type { Scalar, Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { MacParts } from '../cost.js';
import type { Grid } from '../image.js';
import type { Params, ParamSpecs } from '../params.js';
import type { PlanTensors } from '../plan/plan-batch.js';
import type { NamedHostTensors, NamedTensors } from '../tensors.js';
import type { Prediction } from './decoder.js';

/** What a target wants predicted on one branch. */
export interface BranchTarget {
  /** Values for each token at scale 1; sizes the decoder's head. */
  readonly values: number;
  /** Predictions for each side of a token: 1 for one prediction a token, 2 for 2x2, 0.5 for one over 2x2 tokens. */
  readonly scale: number;
  /** Name of the per-token loss, for people: 'mse', 'l1', ... */
  readonly loss: string;
  /** Name of the predicted values in `Prediction.values`. Absent: the decoder's own name for them. */
  readonly output?: string;
  /** The target does without this branch where the decoder lacks it: a multi-scale target on a decoder of one scale. */
  readonly optional?: boolean;
}

export interface LossParts {
  /** What training minimises. */
  readonly loss: Scalar;
  /** Shown and logged beside it: retained and thrown tokens apart, branches, scales. */
  readonly parts: Readonly<Record<string, Scalar>>;
}

/** Computes target arrays on the host, where exactness wants the raw pixels. */
export interface HostTargets {
  /** Shapes for one image; all float32. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** `pixels`: the augmented image, uint8, [height, width, channels]. Runs in the loader's workers. */
  compute(pixels: Uint8Array): Record<string, Float32Array>;
}

/** Where predictions are pixels: enough to draw them. */
export interface PixelPicture {
  /** The predicted values: those of branch `branch` named `values`, one patch a cell, inside it pixel row, pixel column, channel. */
  readonly branch: string;
  readonly values: string;
  /** Each patch is standardised by its own mean and deviation (unbiased variance, 1e-6 inside the root); else normalised as the images are. */
  readonly standardized: boolean;
}

export interface Target {
  /** Asked first: sizes the decoder's heads. Branches by name. */
  spec(grid: Grid): Readonly<Record<string, BranchTarget>>;
  /** Parameters of the target's own, a frozen teacher say. */
  params?(): ParamSpecs;
  /** Values of its parameters that come from files, in memory layout. Read once, when a run starts anew: checkpoints hold them from then on. */
  pretrained?(): Promise<NamedHostTensors>;
  readonly hostTargets?: HostTargets;
  /** For the whole grid, raster order, by branch: independent of the plan's order, ignorant of wrappers. `host` holds the stacked `hostTargets`. */
  targets(images_BHWC: Tensor4D, plan: PlanTensors, params: Params, host: NamedTensors): Record<string, Readonly<Record<string, Tensor>>>;
  /**
   * @param scored_BN weight of each cell, raster order; 0 where nothing is asked.
   */
  loss(
    predictions: Readonly<Record<string, Prediction>>,
    targets: Readonly<Record<string, Readonly<Record<string, Tensor>>>>,
    plan: PlanTensors,
    scored_BN: Tensor2D,
  ): LossParts;
  /** Absent: what is predicted cannot be shown as an image. */
  readonly picture?: PixelPicture;
  /**
   * Cost of `targets` and `loss` for one image, where they are more than arithmetic on pixels (a teacher's forward pass).
   * @param predicted tokens that `predict` worked on, class token included, by branch
   */
  macs?(predicted: Readonly<Record<string, number>>): MacParts;
}
