import { CompositionError, ConfigError, DataError, MimlabError, PluginError } from '@mimlab/core';
import type { BatchJob, BatchSlot, MadeBatch } from './batch-maker.js';

/** What the loader tells a worker. */
export type ToWorker =
  | { readonly kind: 'make'; readonly id: number; readonly job: BatchJob; readonly slot: BatchSlot | undefined }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'close' };

/** What a worker answers. `refused`: it cannot start. */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly error: PackedError }
  | { readonly kind: 'made'; readonly id: number; readonly batch: MadeBatch }
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

const KINDS: Readonly<Record<string, typeof MimlabError>> = { CompositionError, ConfigError, DataError, PluginError };

export function packError(error: unknown): PackedError {
  if (error instanceof MimlabError) return { name: error.name, problem: error.problem, place: error.place, remedy: error.remedy, stack: error.stack };
  const { name, message, stack } = error instanceof Error ? error : { name: 'Error', message: String(error), stack: undefined };
  return { name, problem: message, place: undefined, remedy: undefined, stack };
}

/** The error again, of its own class if it is one of mimlab's; else a DataError that says where it happened. */
export function unpackError({ name, problem, place, remedy, stack }: PackedError, where: string): MimlabError {
  const Kind = KINDS[name];
  const details = { ...(place === undefined ? {} : { place }), ...(remedy === undefined ? {} : { remedy }), cause: stack };
  if (Kind !== undefined) return new Kind(problem, details);
  return new DataError(`${name}: ${problem}`, { ...details, place: where, remedy: 'Read the stack trace of the cause; it comes from a plugin or from the loader itself.' });
}
