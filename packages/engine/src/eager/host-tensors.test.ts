import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkHostTensor, toHost, toTensor } from './host-tensors.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('toTensor', () => {
  it('makes int32 of uint8, since tfjs has no bytes', () => {
    const tensor = toTensor({ dtype: 'uint8', shape: [3], data: Uint8Array.of(0, 128, 255) });
    expect(tensor.dtype).toBe('int32');
    expect([...tensor.dataSync()]).toEqual([0, 128, 255]);
  });

  it('copies, so that the array may be reused', () => {
    const data = Float32Array.of(1, 2);
    const tensor = toTensor({ dtype: 'float32', shape: [2], data });
    data.fill(9);
    expect([...tensor.dataSync()]).toEqual([1, 2]);
  });
});

describe('toHost', () => {
  it('copies, so that changing the array leaves the tensor alone', () => {
    const tensor = tf.tensor1d([1, 2]);
    toHost(tensor).data.fill(9);
    expect([...tensor.dataSync()]).toEqual([1, 2]);
  });

  it('gives truth values as int32', () => {
    expect(toHost(tf.tensor1d([true, false], 'bool'))).toEqual({ shape: [2], dtype: 'int32', data: Int32Array.of(1, 0) });
  });

  it('keeps shape and type', () => {
    expect(toHost(tf.tensor2d([[1], [2]], [2, 1], 'int32'))).toEqual({ shape: [2, 1], dtype: 'int32', data: Int32Array.of(1, 2) });
  });
});

describe('checkHostTensor', () => {
  it('lets arrays pass that are what they say', () => {
    checkHostTensor('x', { dtype: 'int32', shape: [2, 2], data: new Int32Array(4) });
    checkHostTensor('scalar', { dtype: 'float32', shape: [], data: new Float32Array(1) });
  });

  it('names a tensor whose array is of another type', () => {
    expect(() => checkHostTensor('x', { dtype: 'float32', shape: [1], data: Int32Array.of(1) })).toThrow(/x: dtype float32 does not go with a Int32Array/);
  });

  it('names a tensor of too many or too few numbers', () => {
    expect(() => checkHostTensor('x', { dtype: 'float32', shape: [2, 3], data: new Float32Array(5) })).toThrow(/x: 5 numbers cannot have shape \[2, 3\]/);
  });

  it('names a tensor without data', () => {
    expect(() => checkHostTensor('x', { dtype: 'float32', shape: [1] } as never)).toThrow(/x: dtype float32 does not go with a undefined/);
  });
});
