import { EngineError, type HostTensor } from '@mimlab/core';

/** Numbers of tensorflow.DataType (tensorflow/core/framework/types.proto). */
export const DATA_TYPE = { float32: 1, int32: 3, uint8: 4, string: 7, int64: 9, bool: 10, bfloat16: 14, resource: 20 } as const;

export type GraphType = keyof typeof DATA_TYPE;

export const BYTES: Readonly<Record<HostTensor['dtype'], number>> = { float32: 4, int32: 4, uint8: 1 };

/** An array on the host for elements of a TensorFlow type; truth values come as uint8. */
export function emptyHostArray(type: number, length: number, place: string): Pick<HostTensor, 'dtype' | 'data'> {
  if (type === DATA_TYPE.float32) return { dtype: 'float32', data: new Float32Array(length) };
  if (type === DATA_TYPE.int32) return { dtype: 'int32', data: new Int32Array(length) };
  if (type === DATA_TYPE.uint8 || type === DATA_TYPE.bool) return { dtype: 'uint8', data: new Uint8Array(length) };
  throw new EngineError(`TensorFlow returned elements of type ${type}`, { place });
}
