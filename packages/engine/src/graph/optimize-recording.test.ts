import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { NamedTensors } from '../contract.js';
import { traceFunction } from '../trace/trace-function.js';
import type { Recording } from '../trace/recording.js';
import { fuseBias, optimizeRecording } from './optimize-recording.js';

const t = (tensor: tf.Tensor | undefined): tf.Tensor => tensor as tf.Tensor;
const float = (...shape: number[]) => ({ shape, dtype: 'float32' as const });
const record = (fn: (inputs: NamedTensors) => NamedTensors): Recording => traceFunction(fn, { x: float(2, 3), w: float(3, 4), b: float(4) });
const kernels = ({ nodes }: Recording): string[] => nodes.map(({ kernel }) => kernel);

describe('optimizeRecording', () => {
  it('drops what the wanted outputs do not need, inputs too', () => {
    const recording = record(({ x, w }) => ({ y: tf.exp(t(x)), z: tf.exp(t(w)) }));
    const optimized = optimizeRecording(recording, ['y']);
    expect(kernels(optimized)).toEqual(['Exp']);
    expect(Object.keys(optimized.inputs)).toEqual(['x']);
  });

  it('merges equal computations', () => {
    const recording = record(({ x }) => ({ y: tf.add(tf.exp(tf.mul(t(x), 2)), tf.exp(tf.mul(t(x), 2))), z: tf.exp(tf.mul(t(x), 3)) }));
    expect(kernels(optimizeRecording(recording, ['y', 'z']))).toEqual(['Const', 'Multiply', 'Exp', 'Add', 'Const', 'Multiply', 'Exp']);
  });

  it('keeps operations apart that differ in an attribute', () => {
    const recording = record(({ x }) => ({ y: tf.sum(t(x), 0, true), z: tf.sum(t(x), 0, false) }));
    expect(kernels(optimizeRecording(recording, ['y', 'z']))).toEqual(['Sum', 'Sum']);
  });

  it('computes arithmetic of constants', () => {
    const recording = record(({ x }) => ({ y: tf.mul(t(x), tf.div(tf.sqrt(tf.add(tf.scalar(7), tf.cast(tf.scalar(2, 'int32'), 'float32'))), 2)) }));
    const { nodes } = optimizeRecording(recording, ['y']);
    expect(nodes.map(({ kernel, data }) => [kernel, data])).toEqual([['Const', Float32Array.of(1.5)], ['Multiply', undefined]]);
  });

  it('ships no bytes of long constants whose elements are equal', () => {
    const { nodes } = optimizeRecording(record(({ x }) => ({ y: tf.concat([t(x), tf.tensor2d(new Float32Array(300).fill(2), [100, 3])]) })), ['y']);
    expect(nodes.map(({ kernel, attrs, data }) => [kernel, attrs['value'], data])).toEqual([['Fill', 2, undefined], ['Concat', undefined, undefined]]);
  });

  const ones = (): tf.Tensor => tf.ones([100, 3]);

  it('drops products with ones that change nothing', () => {
    const { nodes, outputs, inputs } = optimizeRecording(traceFunction(({ a }) => ({ y: tf.mul(t(a), ones()) }), { a: float(100, 3) }), ['y']);
    expect(nodes).toEqual([]);
    expect(outputs['y']).toBe(inputs['a']?.value);
  });

  it('lets elementwise operations stretch what a product with ones would have', () => {
    // As the gradient of a mean of squares has it: (dy * ones / n) * x.
    const recording = traceFunction(({ a, dy }) => ({ y: tf.mul(tf.div(tf.mul(t(dy), ones()), 300), t(a)) }), { a: float(100, 3), dy: float(1, 1) });
    const { nodes } = optimizeRecording(recording, ['y']);
    expect(nodes.map(({ kernel, outputs }) => [kernel, outputs[0]?.shape])).toEqual([['Const', []], ['RealDiv', [1, 1]], ['Multiply', [100, 3]]]);
  });

  it('makes the larger result where it is wanted as such', () => {
    const recording = traceFunction(({ dy, w }) => ({ y: tf.matMul(tf.div(tf.mul(t(dy), ones()), 2) as tf.Tensor2D, t(w) as tf.Tensor2D) }), { dy: float(1, 1), w: float(3, 4) });
    const { nodes } = optimizeRecording(recording, ['y']);
    expect(nodes.map(({ kernel, outputs }) => [kernel, outputs[0]?.shape])).toEqual([
      ['Fill', [100, 3]], ['Multiply', [100, 3]], ['Const', []], ['RealDiv', [100, 3]], ['BatchMatMul', [100, 4]],
    ]); // prettier-ignore
  });

  it('leaves large fills to TensorFlow', () => {
    const recording = record(() => ({ y: tf.fill([100], 1) }));
    expect(kernels(optimizeRecording(recording, ['y']))).toEqual(['Fill']);
  });
});

describe('fuseBias', () => {
  it('folds a bias into the product before it', () => {
    const recording = record(({ x, w, b }) => ({ y: tf.exp(tf.add(tf.matMul(t(x), t(w)), t(b))) }));
    const fused = fuseBias(recording);
    expect(kernels(fused)).toEqual(['_FusedMatMul', 'Exp']);
    expect(fused.nodes[0]?.inputs).toHaveLength(3);
  });

  it('leaves a product alone that is used twice, is an output, or is added to something else', () => {
    const recording = record(({ x, w, b }) => {
      const twice = tf.matMul(t(x), t(w));
      const out = tf.matMul(t(x), tf.exp(t(w)));
      return { a: tf.add(twice, t(b)), c: tf.neg(twice), out, d: tf.add(out, t(b)), e: tf.add(tf.matMul(t(x), tf.neg(t(w))), tf.scalar(1)) };
    });
    expect(kernels(fuseBias(recording))).not.toContain('_FusedMatMul');
  });
});
