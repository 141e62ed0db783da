import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { NamedTensors } from '../contract.js';
import { traceFunction } from '../trace/trace-function.js';
import type { Recording, TracedNode } from '../trace/recording.js';
import { fuseProducts } from './fuse-products.js';

const t = (tensor: tf.Tensor | undefined): tf.Tensor => tensor as tf.Tensor;
const float = (...shape: number[]) => ({ shape, dtype: 'float32' as const });
const fuse = (fn: (inputs: NamedTensors) => NamedTensors): Recording =>
  fuseProducts(traceFunction(fn, { x: float(16, 8), w: float(8, 24), b: float(24), y: float(16, 24) }));
const kernels = ({ nodes }: Recording): string[] => nodes.map(({ kernel }) => kernel);
const product = ({ nodes }: Recording): TracedNode => nodes.find(({ kernel }) => kernel === 'MimProduct') as TracedNode;

/** A recording with GELU's kernel, which only a trace for the native library has. */
function withGelu(recording: Recording): Recording {
  const nodes = recording.nodes.map((node) => (node.kernel === 'Exp' ? { ...node, kernel: 'MimGelu', outputs: [...node.outputs, { ...(node.outputs[0] as TracedNode['outputs'][0]), id: -1 }] } : node));
  return { ...recording, nodes };
}

describe('fuseProducts', () => {
  it('turns a product of matrices into a native one', () => {
    const fused = fuse(({ x, w }) => ({ out: tf.matMul(t(x), t(w)) }));
    expect(product(fused).attrs).toEqual({ transposeA: false, transposeB: false, bias: false, factor: false, addend: false });
  });

  it('takes bias, factor and addend in, in this order', () => {
    const fused = fuse(({ x, w, b, y }) => ({ out: tf.add(t(y), tf.mul(t(y), tf.add(tf.matMul(t(x), t(w)), t(b)))) }));
    expect(kernels(fused)).toEqual(['MimProduct']);
    expect(product(fused).attrs).toMatchObject({ bias: true, factor: true, addend: true });
    expect(product(fused).inputs.map(({ shape }) => shape)).toEqual([[16, 8], [8, 24], [24], [16, 24], [16, 24]]);
    expect(product(fused).outputs[0]).toBe(fused.outputs['out']);
  });

  it('stands where the last of what it took in stood', () => {
    const fused = fuse(({ x, w, y }) => {
      const made = tf.matMul(t(x), t(w));
      const addend = tf.neg(t(y));
      return { out: tf.add(made, addend) };
    });
    expect(kernels(fused)).toEqual(['Neg', 'MimProduct']);
  });

  it('leaves an addition before a factor to the addition', () => {
    const fused = fuse(({ x, w, y }) => ({ out: tf.mul(tf.add(tf.matMul(t(x), t(w)), t(y)), t(y)) }));
    expect(kernels(fused)).toEqual(['MimProduct', 'Multiply']);
  });

  it('makes one operation of a product, its bias and GELU', () => {
    const recording = traceFunction(({ x, w, b }) => ({ out: tf.exp(tf.add(tf.matMul(t(x), t(w)), t(b))) }), { x: float(16, 8), w: float(8, 24), b: float(24) });
    const fused = fuseProducts(withGelu(recording));
    expect(kernels(fused)).toEqual(['MimProductGelu']);
    expect(fused.nodes[0]?.outputs).toHaveLength(2);
  });

  it('takes nothing in where the product is also read by others or is an output', () => {
    const twice = fuse(({ x, w, b }) => {
      const made = tf.matMul(t(x), t(w));
      return { a: tf.add(made, t(b)), c: tf.neg(made) };
    });
    expect(kernels(twice)).toEqual(['MimProduct', 'Add', 'Neg']);
    const output = fuse(({ x, w, b }) => {
      const made = tf.matMul(t(x), t(w));
      return { a: tf.add(made, t(b)), made };
    });
    expect(kernels(output)).toEqual(['MimProduct', 'Add']);
  });

  it('lets only one of two products take their sum in', () => {
    const fused = fuse(({ x, w }) => ({ out: tf.add(tf.matMul(t(x), t(w)), tf.matMul(t(x), tf.neg(t(w)))) }));
    expect(kernels(fused)).toEqual(['Neg', 'MimProduct', 'MimProduct']);
    expect(fused.nodes.map(({ attrs }) => attrs['addend'])).toEqual([undefined, false, true]);
  });

  it('does not take itself for an operand', () => {
    const fused = fuse(({ x, w }) => {
      const made = tf.matMul(t(x), t(w));
      return { out: tf.add(made, made) };
    });
    expect(kernels(fused)).toEqual(['MimProduct', 'Add']);
  });

  it('leaves batches, thin matrices and scalars to TensorFlow', () => {
    const fused = fuse(({ x, w, y }) => ({
      batched: tf.matMul(tf.reshape(t(x), [2, 8, 8]), tf.reshape(t(x), [2, 8, 8])),
      thin: tf.matMul(t(w), tf.ones([24, 1])),
      scaled: tf.mul(tf.matMul(t(x), t(w)), tf.sum(t(y))),
    }));
    expect(kernels(fused).filter((kernel) => /Mat|Product|Multiply/.test(kernel))).toEqual(['BatchMatMul', 'BatchMatMul', 'MimProduct', 'Multiply']);
  });

  it('gives half the sum of squares of a product that is a gradient, and of no other', () => {
    const fused = fuse(({ x, w, y }) => ({ 'grad/w': tf.matMul(t(x), t(y), true), out: tf.matMul(t(x), t(w)) }));
    expect(Object.keys(fused.outputs)).toEqual(['grad/w', 'out', 'square/w']);
    const [gradient, other] = fused.nodes;
    expect(gradient?.attrs['square']).toBe(true);
    expect(gradient?.outputs[1]).toBe(fused.outputs['square/w']);
    expect(other?.outputs).toHaveLength(1);
    expect(other?.attrs).not.toHaveProperty('square');
  });
});
