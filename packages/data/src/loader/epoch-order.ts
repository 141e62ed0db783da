import { DataError, randomStream } from '@mimlab/core';

export interface OrderOptions {
  readonly size: number;
  readonly batch: number;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly subset?: readonly number[] | undefined;
}

/** Batches of an epoch: a short last one is dropped when shuffling (its images come in other epochs), kept when evaluating. */
export const batchesPerEpoch = ({ size, batch, shuffle }: Pick<OrderOptions, 'size' | 'batch' | 'shuffle'>): number =>
  shuffle ? Math.floor(size / batch) : Math.ceil(size / batch);

/** Ids of the samples of one epoch in the order they are used: a pure function of (seed, epoch). */
export function epochOrder({ size, seed, shuffle, subset }: OrderOptions, epoch: number): Int32Array {
  const order = shuffle ? randomStream(seed, 'order', epoch).permutation(size) : Int32Array.from({ length: size }, (_, i) => i);
  return subset === undefined ? order : order.map((place) => subset[place] as number);
}

/** @throws DataError if an id lies outside the data set. */
export function checkSubset(subset: readonly number[], size: number): void {
  const bad = subset.find((id) => !Number.isInteger(id) || id < 0 || id >= size);
  if (bad !== undefined) throw new DataError(`sample ${bad} does not exist`, { place: 'loader.subset', remedy: `The data set has samples 0 .. ${size - 1}.` });
}
