import type { HostTensor, NamedTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Engine } from '../contract.js';
import { findTensorflow } from '../install/index.js';
import { KERNELS } from '../trace/kernels/index.js';
import { createGraphEngine } from './graph-engine.js';
import { describeGraph, float, int, onCpu, onGraph, wave } from './graph-engine.fixture.js';
import { LOWERING } from './lowering/index.js';

type Case = [kernel: string, fn: (inputs: Record<string, tf.Tensor>) => tf.Tensor | tf.Tensor[], inputs: Record<string, HostTensor>];

const x = wave([2, 3]);
const y = wave([2, 3], 5);
const positive = float([2, 3], [0.1, 0.5, 1, 2, 3, 7]);
const image = wave([2, 5, 6, 3]);
const t4 = (tensor: tf.Tensor | undefined): tf.Tensor4D => tensor as tf.Tensor4D;
const run = (kernel: string, inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap = {}): tf.Tensor => tf.engine().runKernel(kernel, inputs, attrs);

const unary = (kernel: string, input = x): Case => [kernel, (i) => run(kernel, { x: i['x'] as tf.Tensor }), { x: input }];
const binary = (kernel: string, a = x, b = y): Case => [kernel, (i) => run(kernel, { a: i['a'] as tf.Tensor, b: i['b'] as tf.Tensor }), { a, b }];
const withBool = (kernel: string): Case => [
  kernel,
  (i) => run(kernel, { a: tf.greater(i['a'] as tf.Tensor, 0), b: tf.greater(i['b'] as tf.Tensor, 0) }),
  { a: x, b: y },
];

const CASES: Case[] = [
  ...['Abs', 'Atan', 'Ceil', 'Cos', 'Erf', 'Exp', 'Expm1', 'Floor', 'Neg', 'Relu', 'Relu6', 'Round', 'Sigmoid', 'Sign', 'Sin', 'Softplus', 'Square', 'Tanh'].map((kernel) =>
    unary(kernel),
  ),
  ...['Log', 'Log1p', 'Reciprocal', 'Rsqrt', 'Sqrt'].map((kernel) => unary(kernel, positive)),
  ...['IsFinite', 'IsInf', 'IsNan'].map((kernel) => unary(kernel, float([3], [1, Infinity, NaN]))),
  ['LogicalNot', (i) => tf.logicalNot(tf.greater(i['x'] as tf.Tensor, 0)), { x }],
  ...['Add', 'Atan2', 'Maximum', 'Minimum', 'Multiply', 'RealDiv', 'SquaredDifference', 'Sub'].map((kernel) => binary(kernel)),
  binary('Add', x, wave([3], 2)),
  binary('Multiply', wave([2, 1, 3]), wave([4, 1], 1)),
  binary('Pow', positive, y),
  binary('FloorDiv', int([4], [7, -7, 9, 4]), int([4], [2, 2, 3, 5])),
  binary('Mod', float([4], [5, -5, 5.5, 1]), float([4], [3, 3, 2, 4])),
  ...['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'NotEqual'].map((kernel) => binary(kernel, int([4], [1, 2, 3, 4]), int([4], [1, 3, 2, 4]))),
  withBool('LogicalAnd'),
  withBool('LogicalOr'),
  ['Select', (i) => tf.where(tf.greater(i['a'] as tf.Tensor, 0), i['a'] as tf.Tensor, i['b'] as tf.Tensor), { a: x, b: y }],
  ['Cast', (i) => [tf.cast(i['x'] as tf.Tensor, 'int32'), tf.cast(i['x'] as tf.Tensor, 'bool')], { x: float([4], [-1.7, 0, 0.4, 2.9]) }],
  ['Step', (i) => tf.step(i['x'] as tf.Tensor, 0.25), { x: float([4], [-1, 0, 2, NaN]) }],
  ['LeakyRelu', (i) => tf.leakyRelu(i['x'] as tf.Tensor, 0.1), { x }],
  ['ClipByValue', (i) => tf.clipByValue(i['x'] as tf.Tensor, -0.3, 0.4), { x }],
  ['Fill', (i) => tf.mul(tf.fill([2, 3], 4), i['x'] as tf.Tensor), { x }],
  ['Fill', () => tf.fill([200], 3), {}],
  ['ZerosLike', (i) => [tf.zerosLike(i['x'] as tf.Tensor), tf.onesLike(i['x'] as tf.Tensor)], { x }],
  ['Range', (i) => tf.add(tf.range(0, 6, 2), i['x'] as tf.Tensor), { x: wave([3]) }],
  ['OneHot', (i) => tf.oneHot(i['x'] as tf.Tensor1D, 4, 2, -1), { x: int([3], [0, 3, 1]) }],
  ...['Sum', 'Mean', 'Max', 'Min', 'Prod'].flatMap((kernel): Case[] => [
    [kernel, (i) => run(kernel, { x: i['x'] as tf.Tensor }, { axis: [1], reductionIndices: [1], keepDims: false }), { x: wave([2, 3, 4]) }],
    [kernel, (i) => run(kernel, { x: tf.sum(i['x'] as tf.Tensor, 2) }, { axis: [0, 1], reductionIndices: [0, 1], keepDims: false }), { x: wave([2, 3, 4]) }],
  ]),
  ['Sum', (i) => tf.sum(i['x'] as tf.Tensor, -1, true), { x }],
  // Many rows: these become products.
  ['Sum', (i) => tf.sum(i['x'] as tf.Tensor, 0), { x: wave([70, 3]) }],
  ['Sum', (i) => [tf.sum(i['x'] as tf.Tensor, [0, 1], true), tf.sum(i['x'] as tf.Tensor, [0, 2])], { x: wave([10, 9, 4]) }],
  ['Mean', (i) => tf.mean(i['x'] as tf.Tensor, 0), { x: int([2, 2], [1, 2, 4, 7]) }],
  ['All', (i) => tf.all(tf.greater(i['x'] as tf.Tensor, -0.9), 1), { x }],
  ['Any', (i) => tf.any(tf.greater(i['x'] as tf.Tensor, 0.9), 1), { x }],
  ['TopK', (i) => Object.values(tf.topk(i['x'] as tf.Tensor, 2)), { x: wave([2, 3, 4]) }],
  ['TopK', (i) => tf.topk(i['x'] as tf.Tensor, 3).indices, { x: float([2, 4], [1, 5, 5, 0, 2, 2, 2, 2]) }],
  ['ArgMax', (i) => tf.argMax(i['x'] as tf.Tensor, 1), { x }],
  ['ArgMin', (i) => tf.argMin(i['x'] as tf.Tensor, 0), { x }],
  ['Softmax', (i) => tf.softmax(i['x'] as tf.Tensor), { x }],
  ['LogSoftmax', (i) => tf.logSoftmax(i['x'] as tf.Tensor), { x }],
  ['Reshape', (i) => [tf.reshape(i['x'] as tf.Tensor, [3, -1]), tf.expandDims(i['x'] as tf.Tensor, -1)], { x }],
  ['Transpose', (i) => tf.transpose(i['x'] as tf.Tensor, [2, 0, 1]), { x: wave([2, 3, 4]) }],
  ['Slice', (i) => tf.slice(i['x'] as tf.Tensor, [0, 1], [-1, 2]), { x }],
  ['Concat', (i) => tf.concat([i['x'] as tf.Tensor, i['y'] as tf.Tensor, i['x'] as tf.Tensor], -1), { x, y }],
  ['SplitV', (i) => tf.split(i['x'] as tf.Tensor, [1, 2], 1), { x }],
  ['Pack', (i) => tf.stack([i['x'] as tf.Tensor, i['y'] as tf.Tensor], 1), { x, y }],
  ['Unpack', (i) => tf.unstack(i['x'] as tf.Tensor, 1), { x }],
  ['PadV2', (i) => tf.pad(i['x'] as tf.Tensor2D, [[0, 1], [2, 0]], 3), { x }],
  ['MirrorPad', (i) => tf.mirrorPad(i['x'] as tf.Tensor2D, [[0, 1], [2, 1]], 'reflect'), { x }],
  ['Tile', (i) => tf.tile(i['x'] as tf.Tensor2D, [2, 3]), { x }],
  ['Reverse', (i) => tf.reverse(i['x'] as tf.Tensor, 1), { x }],
  ['GatherV2', (i) => tf.gather(i['x'] as tf.Tensor, i['rows'] as tf.Tensor1D, 1), { x, rows: int([2], [2, 0]) }],
  ['GatherV2', (i) => tf.gather(i['x'] as tf.Tensor, i['rows'] as tf.Tensor2D, 1, 1), { x, rows: int([2, 2], [2, 0, 1, 1]) }],
  ['UnsortedSegmentSum', (i) => tf.unsortedSegmentSum(i['x'] as tf.Tensor2D, i['rows'] as tf.Tensor1D, 3), { x, rows: int([2], [2, 2]) }],
  ['BatchMatMul', (i) => tf.matMul(i['a'] as tf.Tensor, i['b'] as tf.Tensor, true, false), { a: wave([3, 2]), b: wave([3, 4], 1) }],
  ['BatchMatMul', (i) => tf.matMul(i['a'] as tf.Tensor, i['b'] as tf.Tensor, false, true), { a: wave([2, 3, 4]), b: wave([2, 5, 4], 1) }],
  ['_FusedMatMul', (i) => tf.fused.matMul({ a: t2(i['a']), b: t2(i['b']), bias: t2(i['c']), activation: 'relu' }), { a: x, b: wave([3, 4]), c: wave([4], 1) }],
  ['_FusedMatMul', (i) => tf.fused.matMul({ a: t2(i['a']), b: t2(i['b']), transposeB: true, activation: 'sigmoid' }), { a: x, b: wave([4, 3]) }],
  ['Conv2D', (i) => tf.conv2d(t4(i['x']), t4(i['f']), 2, 'same'), { x: image, f: wave([3, 3, 3, 4], 1) }],
  ['Conv2D', (i) => tf.conv2d(t4(i['x']), t4(i['f']), 1, 1), { x: image, f: wave([3, 3, 3, 4], 1) }],
  ['Conv2DBackprop', (i) => tf.grads((a, b) => tf.sum(tf.square(tf.conv2d(t4(a), t4(b), 2, 'same'))))([i['x'] as tf.Tensor, i['f'] as tf.Tensor]), { x: image, f: wave([3, 3, 3, 4], 1) }],
  ['DepthwiseConv2dNative', (i) => tf.depthwiseConv2d(t4(i['x']), t4(i['f']), 1, 'same'), { x: image, f: wave([3, 3, 3, 2], 1) }],
  ['DepthwiseConv2dNative', (i) => tf.depthwiseConv2d(t4(i['x']), t4(i['f']), 1, 1), { x: image, f: wave([3, 3, 3, 1], 1) }],
  ['DepthwiseBackprop', (i) => tf.grads((a, b) => tf.sum(tf.square(tf.depthwiseConv2d(t4(a), t4(b), 1, 'same'))))([i['x'] as tf.Tensor, i['f'] as tf.Tensor]), { x: image, f: wave([3, 3, 3, 1], 1) }],
  ['AvgPool', (i) => tf.avgPool(t4(i['x']), 3, 1, 'same'), { x: image }],
  ['AvgPool', (i) => tf.avgPool(t4(i['x']), 3, 1, 1), { x: image }],
  ['AvgPoolGrad', (i) => tf.grad((a) => tf.sum(tf.square(tf.avgPool(t4(a), 2, 2, 'valid'))))(i['x'] as tf.Tensor), { x: image }],
  ['zero-size tensors', (i) => tf.concat([i['x'] as tf.Tensor, i['empty'] as tf.Tensor], 1), { x, empty: float([2, 0], []) }],
];

function t2(tensor: tf.Tensor | undefined): tf.Tensor2D {
  return tensor as tf.Tensor2D;
}

describeGraph('compiled kernels', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = createGraphEngine({ kind: 'graph', precision: 'fp32', threads: 2 }, findTensorflow()?.library as string);
  });
  afterAll(() => engine.dispose());

  it.each(CASES.map(([kernel, fn, inputs], index) => ({ kernel, index, fn, inputs })))('$kernel ($index) gives what the cpu backend gives', async ({ fn, inputs }) => {
    const named = (tensors: NamedTensors): NamedTensors => {
      const result = fn(tensors as Record<string, tf.Tensor>);
      return Object.fromEntries((Array.isArray(result) ? result : [result]).map((tensor, i) => [`out${i}`, tensor]));
    };
    const expected = onCpu(named, inputs);
    const actual = await onGraph(engine, named, inputs);
    expect(Object.keys(actual)).toEqual(Object.keys(expected));
    for (const [name, values] of Object.entries(expected)) {
      const got = Array.from(actual[name]?.data ?? []);
      expect(got).toHaveLength(values.length);
      values.forEach((value, i) => {
        if (Number.isFinite(value)) expect(Math.abs((got[i] as number) - value)).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(value)));
        else expect(got[i]).toBe(value);
      });
    }
  });

  it('have a lowering for every kernel that the trace records', () => {
    // These become something else while they are recorded.
    const rewritten = ['Identity', 'ZerosLike', 'OnesLike', 'ExpandDims', 'Range'];
    expect(Object.keys(KERNELS).filter((kernel) => !(kernel in LOWERING) && !rewritten.includes(kernel))).toEqual([]);
  });
});
