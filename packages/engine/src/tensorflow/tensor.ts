import { EngineError, sizeOfShape, type HostTensor } from '@mimlab/core';
import { libc, type Pointer, type TensorflowApi } from './c-library.js';
import { BYTES, DATA_TYPE, emptyHostArray } from './data-types.js';

let alive = 0;

/** Tensors of the C API that were made or fetched and not yet deleted; for tests of leaks. */
export const aliveTensors = (): number => alive;

/** Counts a tensor that TensorFlow handed over. */
export const adoptTensor = (): void => void alive++;

/** A TF_Tensor with a copy of the elements. Whoever gets it deletes it. */
export function tensorFrom(api: TensorflowApi, { data, dtype, shape }: HostTensor): Pointer {
  const bytes = sizeOfShape(shape) * BYTES[dtype];
  const dims = BigInt64Array.from(shape, BigInt);
  const tensor = api.allocateTensor(DATA_TYPE[dtype], dims, shape.length, bytes) as Pointer;
  if (tensor === null) throw new EngineError(`no memory for a tensor of shape [${shape.join(', ')}]`, { place: 'engine' });
  alive++;
  libc().copy(api.tensorData(tensor) as Pointer, data, bytes);
  return tensor;
}

/** Copies the elements out; the tensor stays. Truth values come as uint8. */
export function hostTensor(api: TensorflowApi, tensor: Pointer, place: string): HostTensor {
  const shape = Array.from({ length: Number(api.numDims(tensor)) }, (_, axis) => Number(api.dim(tensor, axis)));
  const { dtype, data } = emptyHostArray(Number(api.tensorType(tensor)), sizeOfShape(shape), place);
  libc().copy(data, api.tensorData(tensor) as Pointer, data.byteLength);
  return { shape, dtype, data };
}

export function deleteTensors(api: TensorflowApi, tensors: Iterable<Pointer>): void {
  for (const tensor of tensors) {
    if (tensor === null) continue;
    api.deleteTensor(tensor);
    alive--;
  }
}
