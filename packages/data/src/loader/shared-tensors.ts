import { sizeOfShape, type HostDType, type HostTensor } from '@mimlab/core';

/** Where a tensor lies in a shared buffer. */
export interface TensorPlace {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: HostDType;
  readonly offset: number;
}

/** Tensors in one shared buffer: what crosses threads without being copied. */
export interface SharedTensors {
  readonly buffer: SharedArrayBuffer;
  readonly places: readonly TensorPlace[];
}

/** Every tensor starts at a multiple of 8 bytes, as typed arrays need. */
const aligned = (bytes: number): number => (bytes + 7) & ~7;

/** `buffer` if it is large enough, else a new one of `bytes`. */
export const bufferFor = (bytes: number, buffer: SharedArrayBuffer | undefined): SharedArrayBuffer =>
  buffer !== undefined && buffer.byteLength >= bytes ? buffer : new SharedArrayBuffer(bytes);

/** Copies tensors into `reuse`, or into a new buffer if it is too small. */
export function packTensors(tensors: Readonly<Record<string, HostTensor>>, reuse?: SharedArrayBuffer): SharedTensors {
  let bytes = 0;
  const places = Object.entries(tensors).map(([name, { shape, dtype, data }]) => {
    const offset = bytes;
    bytes += aligned(data.byteLength);
    return { name, shape, dtype, offset };
  });
  const buffer = bufferFor(bytes, reuse);
  for (const place of places) viewOf(buffer, place).data.set((tensors[place.name] as HostTensor).data);
  return { buffer, places };
}

function viewOf(buffer: SharedArrayBuffer, { shape, dtype, offset }: TensorPlace): HostTensor {
  const size = sizeOfShape(shape);
  switch (dtype) {
    case 'float32':
      return { shape, dtype, data: new Float32Array(buffer, offset, size) };
    case 'int32':
      return { shape, dtype, data: new Int32Array(buffer, offset, size) };
    case 'uint8':
      return { shape, dtype, data: new Uint8Array(buffer, offset, size) };
  }
}

/** The tensors as views of their buffer. */
export const unpackTensors = ({ buffer, places }: SharedTensors): Record<string, HostTensor> =>
  Object.fromEntries(places.map((place) => [place.name, viewOf(buffer, place)]));
