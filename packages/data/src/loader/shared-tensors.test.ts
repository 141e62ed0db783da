import type { HostTensor } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { bufferFor, packTensors, unpackTensors } from './shared-tensors.js';

const tensors: Record<string, HostTensor> = {
  bytes: { shape: [3], dtype: 'uint8', data: Uint8Array.of(1, 2, 3) },
  floats: { shape: [2, 1], dtype: 'float32', data: Float32Array.of(0.5, -1) },
  ints: { shape: [1], dtype: 'int32', data: Int32Array.of(-7) },
  none: { shape: [2, 0], dtype: 'int32', data: new Int32Array(0) },
};

describe('packTensors', () => {
  it('keeps names, shapes, types and values', () => {
    expect(unpackTensors(packTensors(tensors))).toEqual(tensors);
  });

  it('uses a buffer again that is large enough, whatever it held', () => {
    const old = new SharedArrayBuffer(64);
    new Uint8Array(old).fill(255);
    const packed = packTensors(tensors, old);
    expect(packed.buffer).toBe(old);
    expect(unpackTensors(packed)).toEqual(tensors);
  });

  it('takes a new buffer when the old one is too small', () => {
    const old = new SharedArrayBuffer(8);
    expect(packTensors(tensors, old).buffer).not.toBe(old);
  });

  it('packs nothing into an empty buffer', () => {
    expect(unpackTensors(packTensors({}))).toEqual({});
  });
});

describe('bufferFor', () => {
  it('gives exactly the bytes asked for when it makes one', () => {
    expect(bufferFor(10, undefined).byteLength).toBe(10);
  });
});
