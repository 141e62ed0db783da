import type { CompositionRef, Crop, HostTensor, ImageSpec, PixelStatistics } from '@mimlab/core';

/** One decoded image: uint8, [height, width, channels], row-major. */
export interface SourceImage {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly pixels: Uint8Array;
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
}

/** A data set as plain data, so that each worker opens its own. */
export type DatasetRef =
  | { readonly dataset: 'mnist'; readonly path?: string; readonly split: 'train' | 'test' }
  | { readonly dataset: 'cifar10'; readonly path: string; readonly split: 'train' | 'test' }
  | { readonly dataset: 'imagefolder'; readonly path: string; readonly split: 'train' | 'test'; readonly channels: 1 | 3 };

/** Augmentation of pre-training; `none` resizes and centre-crops. */
export type AugmentSpec =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'random-resized-crop';
      /** Fraction of the area, e.g. [0.2, 1]. */
      readonly scale: readonly [number, number];
      /** Width over height, drawn log-uniformly, e.g. [3 / 4, 4 / 3]. */
      readonly ratio: readonly [number, number];
      /** Probability of a horizontal flip. */
      readonly flip: number;
    };

export interface LoaderOptions {
  readonly data: DatasetRef;
  readonly image: ImageSpec;
  readonly augment: AugmentSpec;
  readonly batch: number;
  readonly seed: number;
  /** Worker threads; 0 works in the calling thread. Results do not depend on it. */
  readonly workers: number;
  /** Batches made ahead. */
  readonly prefetch: number;
  /** Random order, last short batch dropped (training); else data-set order, last batch short (evaluation). */
  readonly shuffle: boolean;
  /** Makes plans with the sampler of this composition; absent: no plan inputs. */
  readonly plans?: CompositionRef;
  /** Restricts the data set to these samples, in this order before shuffling. */
  readonly subset?: readonly number[];
}

export interface LoaderBatch {
  /** `images` (uint8, [B, H, W, C]), `plan.*`, `host.*`: the inputs of a step but for `random.*`. Valid until `release`. */
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

export interface Loader {
  readonly size: number;
  readonly batchesPerEpoch: number;
  /** Batches `from`, `from + 1`, ... of an epoch: a pure function of (seed, epoch, index). */
  epoch(epoch: number, from?: number): AsyncIterable<LoaderBatch>;
  /** Seconds spent in each stage since the last call, summed over workers: decode, augment, plan, wait. */
  timings(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

export type { PixelStatistics };
