import { ofBool, ofFloat, ofInt, ofInts, ofString, ofStrings } from '../attributes.js';
import type { Ref } from '../graph-builder.js';
import { input, inputShape, outputShape, T, type Lowering, type LoweringContext, type LoweringTable } from './lowering.js';

/** MatMul for plain matrices, else the batched product. */
const product = (context: LoweringContext): Ref => {
  const { graph, node, type } = context;
  const operands = [input(context, 0), input(context, 1)];
  const [a, b] = [ofBool(node.attrs['transposeA'] === true), ofBool(node.attrs['transposeB'] === true)];
  const plain = inputShape(context, 0).length === 2 && inputShape(context, 1).length === 2;
  return plain
    ? graph.ref('MatMul', type, operands, { ...T(type), transpose_a: a, transpose_b: b })
    : graph.ref('BatchMatMulV2', type, operands, { ...T(type), adj_x: a, adj_y: b });
};

const activated = (context: LoweringContext, x: Ref): Ref => {
  const { graph, node, type } = context;
  switch (node.attrs['activation']) {
    case 'relu':
      return graph.ref('Relu', type, [x], T(type));
    case 'relu6':
      return graph.ref('Relu6', type, [x], T(type));
    case 'sigmoid':
      return graph.ref('Sigmoid', type, [x], T(type));
    case 'elu':
      return graph.ref('Elu', type, [x], T(type));
    case 'leakyrelu':
      return graph.ref('Maximum', type, [x, graph.ref('Mul', type, [x, graph.scalar(Number(node.attrs['alpha']), type)], T(type))], T(type));
    default:
      return x;
  }
};

const fused: Lowering = (context) => {
  const { graph, node, inputs, type } = context;
  const bias = inputs[2];
  const plain = inputShape(context, 0).length === 2 && inputShape(context, 1).length === 2 && inputShape(context, 2).length === 1;
  if (bias === undefined) return [activated(context, product(context))];
  if (!plain) return [activated(context, graph.ref('AddV2', type, [product(context), bias], T(type)))];
  const attrs = {
    ...T(type),
    transpose_a: ofBool(node.attrs['transposeA'] === true),
    transpose_b: ofBool(node.attrs['transposeB'] === true),
    num_args: ofInt(1),
    fused_ops: ofStrings(['BiasAdd']),
    epsilon: ofFloat(0.0001),
  };
  return [activated(context, graph.ref('_FusedMatMul', type, [input(context, 0), input(context, 1), bias], attrs))];
};

/** Attributes of a window: strides, dilations, padding. `explicit`: the operation knows paddings in numbers. */
const window = ({ node }: LoweringContext, dilated: boolean) => {
  const [top, bottom, left, right] = node.attrs['pads'] as [number, number, number, number];
  const padding = String(node.attrs['padding']);
  return {
    strides: ofInts([1, ...(node.attrs['strides'] as number[]), 1]),
    padding: ofString(padding),
    data_format: ofString('NHWC'),
    ...(padding === 'EXPLICIT' ? { explicit_paddings: ofInts([0, 0, top, bottom, left, right, 0, 0]) } : {}),
    ...(dilated ? { dilations: ofInts([1, ...(node.attrs['dilations'] as number[]), 1]) } : {}),
  };
};

const convolution =
  (op: string): Lowering =>
  (context) => [context.graph.ref(op, context.type, [input(context, 0), input(context, 1)], { ...T(context.type), ...window(context, true) })];

/** Inputs dy, filter. */
const byInput =
  (op: string): Lowering =>
  (context) => {
    const { graph, type } = context;
    const inputs = [graph.ints(outputShape(context)), input(context, 1), input(context, 0)];
    return [graph.ref(op, type, inputs, { ...T(type), ...window(context, true) })];
  };

/** Inputs x, dy. */
const byFilter =
  (op: string): Lowering =>
  (context) => {
    const { graph, type } = context;
    const inputs = [input(context, 0), graph.ints(outputShape(context)), input(context, 1)];
    return [graph.ref(op, type, inputs, { ...T(type), ...window(context, true) })];
  };

const pool = (context: LoweringContext) => ({
  ...T(context.type),
  ...window(context, false),
  ksize: ofInts([1, ...(context.node.attrs['size'] as number[]), 1]),
});

export const PRODUCT_LOWERING: LoweringTable = {
  BatchMatMul: (context) => [product(context)],
  _FusedMatMul: fused,
  Conv2D: convolution('Conv2D'),
  Conv2DBackpropInput: byInput('Conv2DBackpropInput'),
  Conv2DBackpropFilter: byFilter('Conv2DBackpropFilter'),
  DepthwiseConv2dNative: convolution('DepthwiseConv2dNative'),
  DepthwiseConv2dNativeBackpropInput: byInput('DepthwiseConv2dNativeBackpropInput'),
  DepthwiseConv2dNativeBackpropFilter: byFilter('DepthwiseConv2dNativeBackpropFilter'),
  AvgPool: (context) => [context.graph.ref('AvgPool', context.type, [input(context, 0)], pool(context))],
  AvgPoolGrad: (context) => {
    const { graph, type } = context;
    return [graph.ref('AvgPoolGrad', type, [graph.ints(outputShape(context)), input(context, 0)], pool(context))];
  },
};
