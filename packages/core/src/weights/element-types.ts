import type { HostArray, HostDType } from '../tensors.js';

/** Element types that weight files use, under the names that safetensors gives them. */
export type FileDType = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U8' | 'BOOL';

interface ElementType {
  readonly bytes: number;
  /** Type in memory. Models compute in float32, so wider and narrower floats become float32 when they are read. */
  readonly host: HostDType;
  decode(bytes: ArrayBuffer): HostArray;
}

const SIGN_16 = 0x8000;
const INT32_MAX = 2147483647n;
const INT32_MIN = -2147483648n;

/** IEEE half precision: 1 sign, 5 exponent, 10 fraction bits. */
function halfToNumber(bits: number): number {
  const sign = (bits & SIGN_16) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function decodeHalf(bytes: ArrayBuffer): Float32Array {
  return Float32Array.from(new Uint16Array(bytes), halfToNumber);
}

/** A bfloat16 is the upper half of a float32. */
function decodeBrain(bytes: ArrayBuffer): Float32Array {
  const halves = new Uint16Array(bytes);
  const words = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) words[i] = (halves[i] as number) << 16;
  return new Float32Array(words.buffer);
}

/** @throws RangeError with the first value that an int32 cannot hold. */
function decodeLong(bytes: ArrayBuffer): Int32Array {
  const longs = new BigInt64Array(bytes);
  const out = new Int32Array(longs.length);
  for (let i = 0; i < longs.length; i++) {
    const value = longs[i] as bigint;
    if (value > INT32_MAX || value < INT32_MIN) throw new RangeError(`element ${i} is ${value}, which does not fit 32 bits`);
    out[i] = Number(value);
  }
  return out;
}

/** How each type is stored (little-endian) and what it becomes in memory. */
export const ELEMENT_TYPES: Readonly<Record<FileDType, ElementType>> = {
  F64: { bytes: 8, host: 'float32', decode: (bytes) => Float32Array.from(new Float64Array(bytes)) },
  F32: { bytes: 4, host: 'float32', decode: (bytes) => new Float32Array(bytes) },
  F16: { bytes: 2, host: 'float32', decode: decodeHalf },
  BF16: { bytes: 2, host: 'float32', decode: decodeBrain },
  I64: { bytes: 8, host: 'int32', decode: decodeLong },
  I32: { bytes: 4, host: 'int32', decode: (bytes) => new Int32Array(bytes) },
  I16: { bytes: 2, host: 'int32', decode: (bytes) => Int32Array.from(new Int16Array(bytes)) },
  I8: { bytes: 1, host: 'int32', decode: (bytes) => Int32Array.from(new Int8Array(bytes)) },
  U8: { bytes: 1, host: 'uint8', decode: (bytes) => new Uint8Array(bytes) },
  BOOL: { bytes: 1, host: 'uint8', decode: (bytes) => new Uint8Array(bytes) },
};

/** The type under which an array in memory is written. */
export const FILE_DTYPE: Readonly<Record<HostDType, FileDType>> = { float32: 'F32', int32: 'I32', uint8: 'U8' };

export const isFileDType = (name: unknown): name is FileDType => typeof name === 'string' && Object.hasOwn(ELEMENT_TYPES, name);
