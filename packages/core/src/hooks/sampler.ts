import type { Grid } from '../image.js';
import type { PlanCounts, TokenPlan } from '../plan/token-plan.js';
import type { RandomStream } from '../random/stream.js';

/** Where the crop of an image was taken, in pixels of the source image. It reaches over the edges where the image was padded by reflection. */
export interface Crop {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  readonly sourceHeight: number;
  readonly sourceWidth: number;
  readonly flip: boolean;
}

export interface SampleContext {
  readonly grid: Grid;
  /** `mask` decides which tokens are hidden, `sample` which hidden ones are retained: changing one leaves the other's draws alone. */
  readonly streams: { readonly mask: RandomStream; readonly sample: RandomStream };
  /** Index of the sample in the data set; for batch scope the index of the micro-batch in the epoch. */
  readonly sampleId: number;
  readonly epoch: number;
  readonly crop: Crop;
  /** This sample's numbers of the sampler's state; absent before the state is first gathered, and for batch scope. */
  readonly state?: Float32Array;
}

/**
 * What a sampler keeps of every sample between epochs. It is an input of an epoch, never changed within one: plans are
 * functions of (seed, epoch, sample, state).
 */
export interface SamplerState {
  /** The first epoch it was made for. Tells the states of a run apart. */
  readonly version: number;
  /** Numbers kept for each sample. */
  readonly width: number;
  /** [samples of the data set, width]. */
  readonly values: Float32Array;
}

/** Numbers of one sample, as a view. */
export const stateOfSample = ({ values, width }: SamplerState, sampleId: number): Float32Array => values.subarray(sampleId * width, (sampleId + 1) * width);

/** How a sampler's state comes about: from the encoder's attention to whole images, gathered by the train loop between epochs. */
export interface SamplerStateRule {
  /** Numbers kept for each sample. */
  width(grid: Grid): number;
  /** Whether the state is gathered anew after epoch - 1 and before `epoch`, counted from 0. Pure. */
  isDueBefore(epoch: number): boolean;
  /**
   * One sample's numbers.
   * @param attention_hN what `Encoder.classAttention` gives for the whole image, [heads, N], raster order
   */
  fromAttention(attention_hN: Float32Array, heads: number): Float32Array;
}

/** A state that tells no tokens apart, for plans outside a run: with it they have the counts that the sampler promises. */
export const neutralState = ({ state }: Pick<Sampler, 'state'>, grid: Grid): { readonly state?: Float32Array } =>
  state === undefined ? {} : { state: new Float32Array(state.width(grid)).fill(1) };

/**
 * Chooses the plan of an image (or of a whole micro-batch). Runs on the host, in the loader's workers, and must be a
 * pure function of its context: no global state, no clock.
 */
export interface Sampler {
  /** `batch`: one plan serves the whole micro-batch (GreenMIM). */
  readonly scope: 'image' | 'batch';
  /** Cells of the blocks that are hidden together, where they are larger than one cell. They tile the grid. */
  unit?(grid: Grid): Grid;
  /** Present if plans depend on a state that training gathers. Without one yet, `sample` gets no `context.state`. */
  readonly state?: SamplerStateRule;
  /**
   * The counts of every plan this sampler makes (of those made with a state, where the state changes them).
   * @throws ConfigError if the ratios do not fit the grid.
   */
  counts(grid: Grid): PlanCounts;
  sample(context: SampleContext): TokenPlan;
}
