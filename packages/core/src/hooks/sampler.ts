import type { Grid } from '../image.js';
import type { PlanCounts, TokenPlan } from '../plan/token-plan.js';
import type { RandomStream } from '../random/stream.js';

/** Where the crop of an image was taken, in pixels of the source image. */
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
}

/**
 * Chooses the plan of an image (or of a whole micro-batch). Runs on the host, in the loader's workers, and must be a
 * pure function of its context: no global state, no clock.
 */
export interface Sampler {
  /** `batch`: one plan serves the whole micro-batch (GreenMIM). */
  readonly scope: 'image' | 'batch';
  /** The counts of every plan this sampler makes. @throws ConfigError if the ratios do not fit the grid. */
  counts(grid: Grid): PlanCounts;
  sample(context: SampleContext): TokenPlan;
}
