import * as tf from '@tensorflow/tfjs-core';
import { EngineError } from '@mimlab/core';
import type { NodeAttrs, TracedValue } from '../recording.js';
import { at, like, type Inferred, type KernelTable, type RawAttrs } from './kernel-spec.js';

type Four = [number, number, number, number];
type Pair = number | [number, number];
type Pad = 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
type Rounding = 'floor' | 'round' | 'ceil' | undefined;

const four = (shape: readonly number[]): Four => [...shape] as Four;

function channelsLast(attrs: RawAttrs, kernel: string): void {
  const format = attrs['dataFormat'] ?? 'NHWC';
  if (format !== 'NHWC') throw new EngineError(`data format ${String(format)} cannot be compiled`, { place: kernel, remedy: 'Use NHWC.' });
}

/** Strides, dilations and paddings in numbers: [top, bottom, left, right]. */
function windowAttrs(info: tf.backend_util.Conv2DInfo): NodeAttrs {
  const { top, bottom, left, right, type } = info.padInfo;
  return {
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    padding: type === 'SAME' || type === 'VALID' ? type : top + bottom + left + right === 0 ? 'VALID' : 'EXPLICIT',
    pads: [top, bottom, left, right],
  };
}

function convolution(kernel: string, depthwise: boolean, attrs: RawAttrs, x: readonly number[], filter: readonly number[]): tf.backend_util.Conv2DInfo {
  channelsLast(attrs, kernel);
  return tf.backend_util.computeConv2DInfo(
    four(x),
    four(filter),
    attrs['strides'] as Pair,
    (attrs['dilations'] ?? 1) as Pair,
    attrs['pad'] as Pad,
    attrs['dimRoundingMode'] as Rounding,
    depthwise,
  );
}

const forward = (kernel: string, depthwise: boolean) => (inputs: readonly TracedValue[], attrs: RawAttrs): Inferred => {
  const x = at(inputs, 0);
  const info = convolution(kernel, depthwise, attrs, x.shape, at(inputs, 1).shape);
  return { outputs: [{ shape: info.outShape, dtype: x.dtype }], attrs: windowAttrs(info) };
};

/** Inputs dy, filter; the shape of the image comes as attribute. */
const byInput = (kernel: string, depthwise: boolean) => (inputs: readonly TracedValue[], attrs: RawAttrs): Inferred => {
  const shape = attrs['inputShape'] as number[];
  const info = convolution(kernel, depthwise, attrs, shape, at(inputs, 1).shape);
  return { outputs: [{ shape, dtype: at(inputs, 0).dtype }], attrs: windowAttrs(info) };
};

/** Inputs x, dy; the shape of the filter comes as attribute. */
const byFilter = (kernel: string, depthwise: boolean) => (inputs: readonly TracedValue[], attrs: RawAttrs): Inferred => {
  const shape = attrs['filterShape'] as number[];
  const info = convolution(kernel, depthwise, attrs, at(inputs, 0).shape, shape);
  return { outputs: [{ shape, dtype: at(inputs, 0).dtype }], attrs: windowAttrs(info) };
};

function pooling(x: TracedValue, attrs: RawAttrs): { readonly shape: readonly number[]; readonly attrs: NodeAttrs } {
  const pool = (pad: Pad): tf.backend_util.Conv2DInfo =>
    tf.backend_util.computePool2DInfo(four(x.shape), attrs['filterSize'] as Pair, attrs['strides'] as Pair, 1, pad, attrs['dimRoundingMode'] as Rounding);
  const info = pool(attrs['pad'] as Pad);
  const own = windowAttrs(info);
  const size = [info.filterHeight, info.filterWidth];
  if (own['padding'] !== 'EXPLICIT') return { shape: info.outShape, attrs: { ...own, size } };
  // TensorFlow pools with SAME or VALID alone; paddings given in numbers are fine where they are those of SAME.
  const same = windowAttrs(pool('same'));
  if (String(same['pads']) === String(own['pads'])) return { shape: info.outShape, attrs: { ...same, size } };
  throw new EngineError(`padding [${String(own['pads'])}] cannot be compiled`, { place: 'AvgPool', remedy: `Use 'same' or 'valid'.` });
}

export const CONVOLUTIONS: KernelTable = {
  Conv2D: { inputs: ['x', 'filter'], infer: forward('Conv2D', false) },
  Conv2DBackpropInput: { inputs: ['dy', 'filter'], infer: byInput('Conv2DBackpropInput', false) },
  Conv2DBackpropFilter: { inputs: ['x', 'dy'], infer: byFilter('Conv2DBackpropFilter', false) },
  DepthwiseConv2dNative: { inputs: ['x', 'filter'], infer: forward('DepthwiseConv2dNative', true) },
  DepthwiseConv2dNativeBackpropInput: { inputs: ['dy', 'filter'], infer: byInput('DepthwiseConv2dNativeBackpropInput', true) },
  DepthwiseConv2dNativeBackpropFilter: { inputs: ['x', 'dy'], infer: byFilter('DepthwiseConv2dNativeBackpropFilter', true) },
  AvgPool: {
    inputs: ['x'],
    infer(inputs, attrs) {
      const { shape, attrs: own } = pooling(at(inputs, 0), attrs);
      return { outputs: [{ shape, dtype: at(inputs, 0).dtype }], attrs: own };
    },
  },
  AvgPoolGrad: {
    inputs: ['dy', 'input'],
    infer(inputs, attrs) {
      const input = at(inputs, 1);
      // Only the shape of the input matters: without it as an input, its memory need not outlive the forward pass.
      return { outputs: [like(input)], attrs: pooling(input, attrs).attrs, as: { kernel: 'AvgPoolGrad', inputs: [at(inputs, 0)] } };
    },
  },
};
