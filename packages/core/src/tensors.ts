import type { Tensor } from '@tensorflow/tfjs-core';

/** Element types that travel between host and device. `uint8` exists on the host only; inside a step it appears as int32. */
export type HostDType = 'float32' | 'int32' | 'uint8';
export type HostArray = Float32Array | Int32Array | Uint8Array;

/** Shape and element type of an input of a step. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: HostDType;
}

/** An array on the host, in row-major order; `data.length` is the product of `shape`. */
export interface HostTensor extends TensorSpec {
  readonly data: HostArray;
}

export type NamedTensors = Readonly<Record<string, Tensor>>;
export type NamedHostTensors = Readonly<Record<string, HostTensor>>;

/** Number of elements of a shape. */
export const sizeOfShape = (shape: readonly number[]): number => shape.reduce((size, side) => size * side, 1);
