import { ofBool, ofType } from '../attributes.js';
import type { GraphBuilder, Ref } from '../graph-builder.js';
import { direct, input, inputShape, outputShape, T, type Lowering, type LoweringContext, type LoweringTable } from './lowering.js';

/** A reduction over `axes` of a tensor of x's type. */
export const reduce = (graph: GraphBuilder, op: string, x: Ref, axes: readonly number[], keepDims: boolean): Ref => {
  const typed = op === 'All' || op === 'Any' ? {} : T(x.type);
  return graph.ref(op, x.type, [x, graph.ints(axes)], { ...typed, Tidx: ofType('int32'), keep_dims: ofBool(keepDims) });
};

const reduction =
  (op: string): Lowering =>
  (context) => {
    const { graph, node, type } = context;
    // tfjs gives the mean of integers as float32; TensorFlow would round it.
    const x = op === 'Mean' ? graph.cast(input(context, 0), type) : input(context, 0);
    return [reduce(graph, op, x, node.attrs['axes'] as number[], node.attrs['keepDims'] === true)];
  };

/** From so many rows on, a product with a row of ones is faster than TensorFlow's own column sum (3 to 5 times on 2 cores). */
const ROWS_FOR_PRODUCT = 64;

/**
 * Sum over all axes but the last: the gradient of every bias, gain and offset. As a matrix-vector product it runs at the
 * speed of memory.
 */
function columnSum(context: LoweringContext): Ref | undefined {
  const { graph, node, type } = context;
  const shape = inputShape(context);
  const columns = shape.at(-1) ?? 0;
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const axes = node.attrs['axes'] as number[];
  const leading = axes.length === shape.length - 1 && axes.every((axis) => axis < shape.length - 1);
  if (type !== 'float32' || !leading || rows < ROWS_FOR_PRODUCT || columns < 2) return undefined;
  const reshape = (x: Ref, to: readonly number[]): Ref => graph.ref('Reshape', type, [x, graph.ints(to)], { ...T(type), Tshape: ofType('int32') });
  const ones = graph.ref('Fill', type, [graph.ints([1, rows]), graph.scalar(1)], { ...T(type), index_type: ofType('int32') });
  const matrix = shape.length === 2 ? input(context, 0) : reshape(input(context, 0), [rows, columns]);
  const sum = graph.ref('MatMul', type, [ones, matrix], { ...T(type), transpose_a: ofBool(false), transpose_b: ofBool(false) });
  return reshape(sum, outputShape(context));
}

const arg =
  (op: string): Lowering =>
  (context) => {
    const { graph, node } = context;
    const x = input(context, 0);
    const attrs = { ...T(x.type), Tidx: ofType('int32'), output_type: ofType('int32') };
    return [graph.ref(op, 'int32', [x, graph.scalar(Number(node.attrs['axis']), 'int32')], attrs)];
  };

/** Sorted, equal values by their place, as tfjs' own kernels have it. */
const topK: Lowering = ({ graph, node, inputs, type }) => {
  const k = graph.scalar(Number(node.attrs['k']), 'int32');
  const name = graph.node('TopKV2', [...inputs, k], { ...T(type), sorted: ofBool(true), Tk: ofType('int32'), index_type: ofType('int32') });
  return [
    { name: `${name}:0`, type },
    { name: `${name}:1`, type: 'int32' },
  ];
};

export const REDUCTION_LOWERING: LoweringTable = {
  Sum: (context) => {
    const sum = columnSum(context);
    return sum === undefined ? reduction('Sum')(context) : [sum];
  },
  ...Object.fromEntries(['Mean', 'Max', 'Min', 'Prod', 'All', 'Any'].map((op) => [op, reduction(op)])),
  ArgMax: arg('ArgMax'),
  ArgMin: arg('ArgMin'),
  TopK: topK,
  Softmax: direct('Softmax'),
  LogSoftmax: direct('LogSoftmax'),
};
