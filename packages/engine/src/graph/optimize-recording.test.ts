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
