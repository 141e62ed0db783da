import { CheckpointError, CompositionError, ConfigError, DataError, EngineError, MimlabError, PluginError, TrainingError, type SamplerState } from '@mimlab/core';
import type { BatchJob, BatchSlot, MadeBatch } from './batch-maker.js';
import type { TensorPlace } from './shared-tensors.js';

/** What the loader tells a worker. */
export type ToWorker =
  /** The sampler's state for the batches asked for after it: sent when it changes, not with every batch. */
  | { readonly kind: 'state'; readonly state: SamplerState | undefined }
  | { readonly kind: 'make'; readonly id: number; readonly job: Omit<BatchJob, 'state'>; readonly slot: BatchSlot | undefined }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'close' };

/** A batch on its way back. `undefined` stands for the buffer of the slot it was made in. */
export interface PostedBatch {
  readonly batch: Omit<MadeBatch, 'images' | 'extras'>;
  readonly images: SharedArrayBuffer | undefined;
  readonly extras: SharedArrayBuffer | undefined;
  readonly places: readonly TensorPlace[];
}

/**
 * Posting a shared buffer makes a new object for the same memory. Naming the slot instead keeps to the objects the
 * caller already has, which the garbage collector then need not count again for every batch.
 */
export function postBatch({ images, extras, ...batch }: MadeBatch, slot: BatchSlot | undefined): PostedBatch {
  return {
    batch,
    images: images === slot?.images ? undefined : images,
    extras: extras.buffer === slot?.extras ? undefined : extras.buffer,
    places: extras.places,
  };
}

export function receiveBatch({ batch, images, extras, places }: PostedBatch, slot: BatchSlot | undefined): MadeBatch {
  return { ...batch, images: images ?? (slot as BatchSlot).images, extras: { buffer: extras ?? (slot as BatchSlot).extras, places } };
}

/** What a worker answers. `refused`: it cannot start. */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly error: PackedError }
  | { readonly kind: 'made'; readonly id: number; readonly posted: PostedBatch }
  | { readonly kind: 'cancelled'; readonly id: number }
  | { readonly kind: 'failed'; readonly id: number; readonly error: PackedError };

/** An error as plain data: threads do not share classes. */
export interface PackedError {
  readonly name: string;
  readonly problem: string;
  readonly place: string | undefined;
  readonly remedy: string | undefined;
  readonly stack: string | undefined;
}

const KINDS: Readonly<Record<string, typeof MimlabError>> = { CheckpointError, CompositionError, ConfigError, DataError, EngineError, MimlabError, PluginError, TrainingError };

export function packError(error: unknown): PackedError {
  if (error instanceof MimlabError) return { name: error.name, problem: error.problem, place: error.place, remedy: error.remedy, stack: error.stack };
  const { name, message, stack } = error instanceof Error ? error : { name: 'Error', message: String(error), stack: undefined };
  return { name, problem: message, place: undefined, remedy: undefined, stack };
}

/** The error again, of its own class if it is one of mimlab's; else a DataError that says where it happened. */
export function unpackError({ name, problem, place, remedy, stack }: PackedError, where: string): MimlabError {
  const Kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  const details = { ...(place === undefined ? {} : { place }), ...(remedy === undefined ? {} : { remedy }), cause: stack };
  if (Kind !== undefined) return new Kind(problem, details);
  return new DataError(`${name}: ${problem}`, { ...details, place: where, remedy: 'Read the stack trace of the cause; it comes from a plugin or from the loader itself.' });
}
