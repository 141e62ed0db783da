import { sizeOfShape } from '@mimlab/core';
import { elements } from '../trace/recorder.js';
import type { TracedNode, TracedValue } from '../trace/recording.js';

/** Elementwise kernels that are computed while compiling; the usual arithmetic of scalars, masks and small tables. */
const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Sqrt: Math.sqrt,
  Rsqrt: (x) => 1 / Math.sqrt(x),
  Square: (x) => x * x,
  Exp: Math.exp,
  Log: Math.log,
  Reciprocal: (x) => 1 / x,
  Abs: Math.abs,
  Cast: (x) => x,
};
const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Multiply: (a, b) => a * b,
  RealDiv: (a, b) => a / b,
  Maximum: Math.max,
  Minimum: Math.min,
};

const constant = (node: TracedNode, output: TracedValue, values: ArrayLike<number>): TracedNode => ({
  ...node,
  kernel: 'Const',
  inputs: [],
  attrs: {},
  data: elements(values, output),
});

/** The operation as a constant, given its inputs as constants; undefined where it is left to TensorFlow. */
export function foldNode(node: TracedNode, inputs: readonly TracedNode[]): TracedNode | undefined {
  const [output] = node.outputs;
  const [a, b] = inputs;
  if (output === undefined) return undefined;
  const length = sizeOfShape(output.shape);
  if (node.kernel === 'Fill') {
    // Longer ones stay operations: a byte pattern would be shipped for nothing.
    return length <= 64 ? constant(node, output, new Array<number>(length).fill(Number(node.attrs['value']))) : undefined;
  }
  if (a?.data === undefined) return undefined;
  if (node.kernel === 'Reshape') return constant(node, output, a.data);
  const one = UNARY[node.kernel];
  if (one !== undefined) {
    const cast = node.kernel === 'Cast' ? converter(output) : one;
    return constant(node, output, Array.from(a.data, cast));
  }
  const two = BINARY[node.kernel];
  // Integer division rounds its own way and mixed broadcasts need strides: scalars and equal shapes are what occurs.
  if (two === undefined || b?.data === undefined || output.dtype !== 'float32') return undefined;
  const [left, right] = [a.data, b.data];
  if ((left.length !== 1 && left.length !== length) || (right.length !== 1 && right.length !== length)) return undefined;
  const values = Array.from({ length }, (_, i) => two(left[left.length === 1 ? 0 : i] as number, right[right.length === 1 ? 0 : i] as number));
  return constant(node, output, values);
}

const converter = ({ dtype }: TracedValue): ((x: number) => number) =>
  dtype === 'bool' ? (x) => (x === 0 ? 0 : 1) : dtype === 'int32' ? Math.trunc : (x) => x;
