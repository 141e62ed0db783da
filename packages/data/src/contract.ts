import type { CompositionRef, Crop, Grid, HostTensor, ImageSpec, PixelStatistics, SamplerState } from '@mimlab/core';

/** One decoded image: uint8, [height, width, channels], row-major. */
export interface SourceImage {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly pixels: Uint8Array;
  /** Seconds that reading its file took, of those that it took to get the image. */
  readonly readSeconds?: number;
}

/** A data set. Reads are random access and safe to make in any order, in any worker. */
export interface Dataset {
  readonly name: string;
  readonly size: number;
  readonly classes: readonly string[];
  readonly statistics: PixelStatistics;
  /** Channels of its images. */
  readonly channels: number;
  label(index: number): number;
  /** @throws DataError naming the file if it cannot be read or decoded. */
  image(index: number): Promise<SourceImage>;
  /** Name of a sample, for messages: a path or `train #17`. */
  describe(index: number): string;
  /**
   * Hash of the bytes that a sample is stored as, to find the same image in two sets.
   * @throws DataError naming the file if it cannot be read.
   */
  fingerprint(index: number): Promise<string>;
}

/** A data set as plain data, so that each worker opens its own. */
export type DatasetRef =
  | { readonly dataset: 'mnist'; readonly path?: string; readonly split: 'train' | 'test' }
  | { readonly dataset: 'fashion-mnist' | 'cifar10' | 'cifar100'; readonly path: string; readonly split: 'train' | 'test' }
  | {
      readonly dataset: 'imagefolder';
      readonly path: string;
      readonly split: 'train' | 'test';
      readonly channels: 1 | 3;
      /** Test images may be `PATH/CLASS/...`, without a folder `test` or `val`: for folders named as test images and nothing else. */
      readonly testAlone?: boolean;
    }
  | { readonly dataset: 'inaturalist' | 'parquet'; readonly path: string; readonly split: 'train' | 'test'; readonly channels: 1 | 3 };

/** Changes of colours and pixels after a random crop, as fine-tuning recipes have them; none without these keys. */
export interface FineTuningAugment {
  /** Policy in timm's notation, `rand-m9-mstd0.5-inc1`. */
  readonly randAugment?: string | undefined;
  /** Most that brightness, contrast and saturation change by, each; 0 .. 1. */
  readonly colorJitter?: number | undefined;
  /** Probability of one box of noise. */
  readonly erase?: number | undefined;
  /** What the images are normalised with: the mean fills what RandAugment moves in, the noise is normal in its terms. ImageNet's unless given. */
  readonly statistics?: PixelStatistics | undefined;
}

/** Augmentation of training; `none` resizes and centre-crops, `whole` resizes the whole image, whatever its proportions. */
export type AugmentSpec =
  | { readonly kind: 'whole' }
  | {
      readonly kind: 'none';
      /** Size of the crop over the shorter side of the resized image: 224 / 256 in official evaluations. Default 1. */
      readonly cropFraction?: number;
    }
  | (FineTuningAugment & {
      readonly kind: 'random-resized-crop';
      /** Fraction of the area, e.g. [0.2, 1]. */
      readonly scale: readonly [number, number];
      /** Width over height, drawn log-uniformly, e.g. [3 / 4, 4 / 3]. */
      readonly ratio: readonly [number, number];
      /** Probability of a horizontal flip. */
      readonly flip: number;
      /** How the crop is resized; bicubic unless given. */
      readonly interpolation?: 'bicubic' | 'bilinear' | undefined;
    })
  | (FineTuningAugment & {
      /** The shorter side to the size asked for, every side padded by reflection, a random window, flip. */
      readonly kind: 'simple-crop';
      /** Pixels of padding on every side, less than a side of the result. */
      readonly padding: number;
      readonly flip: number;
      readonly interpolation?: 'bicubic' | 'bilinear' | undefined;
    });

export interface LoaderOptions {
  readonly data: DatasetRef;
  readonly image: ImageSpec;
  readonly augment: AugmentSpec;
  readonly batch: number;
  readonly seed: number;
  /** Worker threads; 0 works in the calling thread. Results do not depend on it. */
  readonly workers: number;
  /** Batches made ahead by workers; the calling thread makes none ahead. */
  readonly prefetch: number;
  /** Random order, last short batch dropped (training); else data-set order, last batch short (evaluation). */
  readonly shuffle: boolean;
  /** Makes plans with the sampler of this composition; absent: no plan inputs. */
  readonly plans?: CompositionRef;
  /** The encoder's grid, which plans speak of. Without it each worker builds the composition's encoder to ask it. */
  readonly grid?: Grid;
  /**
   * Bytes of memory for decoded images. A data set that fits is decoded once and then shared by all workers; of a larger
   * one nothing is kept. Default 0.
   */
  readonly cacheBytes?: number;
  /** Restricts the data set to these samples, in this order before shuffling. */
  readonly subset?: readonly number[];
}

export interface LoaderBatch {
  /** `images` (uint8, [B, H, W, C]), `plan.*`, `host.*`: the inputs of a step but for `random.*`. Views of shared memory, valid until `release`. */
  readonly inputs: Readonly<Record<string, HostTensor>>;
  readonly labels: Int32Array;
  /** Indices in the data set. */
  readonly sampleIds: Int32Array;
  readonly crops: readonly Crop[];
  readonly epoch: number;
  /** Index of the batch in the epoch. */
  readonly index: number;
  /** Gives the buffers back to the loader. */
  release(): void;
}

/**
 * `read` and `decode` (waiting for images, divided by what reading and decoding each of them took), `augment`, `plan` and
 * `host` (host targets) are summed over workers; `wait` is the time the caller waited for batches.
 */
export type LoaderStage = 'read' | 'decode' | 'augment' | 'plan' | 'host' | 'wait';

export interface Loader {
  /** Samples an epoch draws from: the data set or its subset. */
  readonly size: number;
  readonly dataset: Dataset;
  readonly batchesPerEpoch: number;
  /**
   * Batches `from`, `from + 1`, ... of an epoch: a pure function of (seed, epoch, index, state). Skipped batches cost
   * nothing. Leaving the loop early stops the work in progress.
   * @param state what the sampler keeps of the samples. Its values are not copied where they lie on shared memory, and
   *   must not change while the epoch runs.
   * @throws DataError naming the sample that cannot be read, decoded or planned; if the state is not one of this data
   *   set; or if the loader was closed.
   */
  epoch(epoch: number, from?: number, state?: SamplerState): AsyncIterable<LoaderBatch>;
  /**
   * Every sample once, whole, resized to the size of the run without keeping its proportions, in data-set order: what
   * samplers that follow attention look at. No plans, no host targets; the last batch may be short.
   */
  wholeImages(): AsyncIterable<LoaderBatch>;
  /** Seconds spent in each stage since the last call. */
  timings(): Readonly<Record<LoaderStage, number>>;
  /** Stops all workers. */
  close(): Promise<void>;
}

export type { PixelStatistics };
