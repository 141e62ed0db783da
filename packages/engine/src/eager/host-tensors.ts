import { EngineError, sizeOfShape, type HostArray, type HostDType, type HostTensor } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';

const TYPES: Readonly<Record<HostDType, new (length: number) => HostArray>> = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

/**
 * Checks that an array is what it says.
 * @throws EngineError naming the tensor.
 */
export function checkHostTensor(name: string, { data, dtype, shape }: HostTensor): void {
  const type = TYPES[dtype];
  if (type === undefined || !(data instanceof type)) {
    throw new EngineError(`dtype ${dtype} does not go with a ${data?.constructor?.name ?? typeof data}`, { place: name, remedy: 'Give Float32Array, Int32Array or Uint8Array for float32, int32 or uint8.' });
  }
  if (data.length !== sizeOfShape(shape)) {
    throw new EngineError(`${data.length} numbers cannot have shape [${shape.join(', ')}]`, { place: name });
  }
}

/** A tensor of a copy of the data: backends may keep what they are given. uint8 becomes int32. */
export function toTensor({ data, dtype, shape }: HostTensor): tf.Tensor {
  const copy = data instanceof Uint8Array ? Int32Array.from(data) : data.slice();
  return tf.tensor(copy, [...shape], dtype === 'float32' ? 'float32' : 'int32');
}

/** Reads a tensor; bool becomes int32. */
export function toHost(tensor: tf.Tensor): HostTensor {
  const shape = [...tensor.shape];
  const data = tensor.dataSync();
  if (tensor.dtype === 'float32') return { shape, dtype: 'float32', data: Float32Array.from(data) };
  return { shape, dtype: 'int32', data: Int32Array.from(data) };
}
