import type { TensorSpec } from '@mimlab/core';

/** Element types inside a step. */
export type TracedType = 'float32' | 'int32' | 'bool';

export interface ValueSpec {
  readonly shape: readonly number[];
  readonly dtype: TracedType;
}

/** A tensor that stands for the result of a recorded operation. Identity is by object; `id` counts in order of creation. */
export interface TracedValue extends ValueSpec {
  readonly id: number;
}

/** Attributes after normalisation: axes resolved, paddings in numbers, defaults filled in. */
export type NodeAttrs = Readonly<Record<string, number | string | boolean | readonly number[] | readonly (readonly number[])[]>>;

/** One operation, in the order in which it was called. */
export interface TracedNode {
  /** Name of the tfjs kernel, or `Const`. */
  readonly kernel: string;
  readonly inputs: readonly TracedValue[];
  readonly attrs: NodeAttrs;
  readonly outputs: readonly TracedValue[];
  /** Part of the model that called it (core's `part()`); empty outside any part and in the backward pass. */
  readonly part: string;
  readonly pass: 'forward' | 'backward';
  /** Number of the block that called it (core's `asBlock()`), counted through the trace from 1; absent outside any. */
  readonly block?: number;
  /** It repeats an operation of the forward pass in the backward pass, where its result is needed and was not kept. */
  readonly repeated?: true;
  /** Elements of a `Const`, one number each whatever the type. */
  readonly data?: Float32Array | Int32Array | Uint8Array;
}

export interface TracedInput {
  readonly value: TracedValue;
  /** What the caller gives; `uint8` appears inside as int32. */
  readonly spec: TensorSpec;
}

/** A pure function of its inputs, written down as a list of operations. */
export interface Recording {
  readonly inputs: Readonly<Record<string, TracedInput>>;
  readonly nodes: readonly TracedNode[];
  readonly outputs: Readonly<Record<string, TracedValue>>;
}
