import { EngineError } from '@mimlab/core';
import type { NodeAttrs, TracedValue, ValueSpec } from '../recording.js';

/** Attributes as tfjs passes them to a kernel. */
export type RawAttrs = Readonly<Record<string, unknown>>;

export interface Inferred {
  readonly outputs: readonly ValueSpec[];
  /** Normalised attributes, kept in the recording. */
  readonly attrs?: NodeAttrs;
  /** The kernel returns its first input unchanged: nothing is recorded. */
  readonly alias?: true;
  /** The result is known while tracing: a constant is recorded instead. */
  readonly constant?: ArrayLike<number>;
  /** Record this kernel in place of the one that was called (it may take fewer inputs). */
  readonly as?: { readonly kernel: string; readonly inputs: readonly TracedValue[] };
}

/** What the trace must know of a kernel: the order of its inputs, and the shapes and types it gives. */
export interface KernelSpec {
  /** Names of the inputs in order; a trailing `?` marks one that may be absent. Without it the inputs are a list. */
  readonly inputs?: readonly string[];
  infer(inputs: readonly TracedValue[], attrs: RawAttrs): Inferred;
}

export type KernelTable = Readonly<Record<string, KernelSpec>>;

/** Input `index`, which the input list promises. */
export function at(inputs: readonly TracedValue[], index: number): TracedValue {
  const value = inputs[index];
  if (value === undefined) throw new EngineError(`input ${index} is missing`, { place: 'trace' });
  return value;
}

export const like = ({ shape, dtype }: ValueSpec): ValueSpec => ({ shape, dtype });

/** Axis counted from the front. */
export const positiveAxis = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((side, index) => side === b[index]);
