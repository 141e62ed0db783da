import * as tf from '@tensorflow/tfjs-core';
import { EngineError, sizeOfShape } from '@mimlab/core';
import { at, like, positiveAxis, sameShape, type Inferred, type KernelSpec, type KernelTable } from './kernel-spec.js';
import type { NodeAttrs, TracedValue } from '../recording.js';

/** A reshape to `shape`, however tfjs called it; nothing at all where the shape stays. */
function reshaped(x: TracedValue, shape: readonly number[]): Inferred {
  const outputs = [{ shape, dtype: x.dtype }];
  return sameShape(x.shape, shape) ? { outputs, alias: true } : { outputs, as: { kernel: 'Reshape', inputs: [x] } };
}

const sliceOf = (shape: readonly number[], begin: number[], size: number[]): [number[], number[]] =>
  tf.slice_util.parseSliceParams({ shape: [...shape] } as tf.Tensor, begin, size) as [number[], number[]];

const padding = (mode: boolean): KernelSpec => ({
  inputs: ['x'],
  infer(inputs, attrs) {
    const x = at(inputs, 0);
    const paddings = attrs['paddings'] as number[][];
    const shape = x.shape.map((side, axis) => side + (paddings[axis]?.[0] ?? 0) + (paddings[axis]?.[1] ?? 0));
    const rest: NodeAttrs = mode ? { mode: String(attrs['mode']) } : { value: Number(attrs['constantValue'] ?? 0) };
    return { outputs: [{ shape, dtype: x.dtype }], attrs: { ...rest, paddings } };
  },
});

export const MOVEMENT: KernelTable = {
  Reshape: {
    inputs: ['x'],
    infer(inputs, attrs) {
      const x = at(inputs, 0);
      return reshaped(x, tf.util.inferFromImplicitShape(attrs['shape'] as number[], sizeOfShape(x.shape)));
    },
  },
  ExpandDims: {
    inputs: ['input'],
    infer(inputs, attrs) {
      const x = at(inputs, 0);
      const shape = [...x.shape];
      const dim = Number(attrs['dim']);
      shape.splice(dim < 0 ? dim + shape.length + 1 : dim, 0, 1);
      return reshaped(x, shape);
    },
  },
  Transpose: {
    inputs: ['x'],
    infer(inputs, attrs) {
      const x = at(inputs, 0);
      const perm = attrs['perm'] as number[];
      const outputs = [{ shape: perm.map((axis) => x.shape[axis] as number), dtype: x.dtype }];
      return perm.every((axis, index) => axis === index) ? { outputs, alias: true } : { outputs, attrs: { perm } };
    },
  },
  Slice: {
    inputs: ['x'],
    infer(inputs, attrs) {
      const x = at(inputs, 0);
      const [begin, size] = sliceOf(x.shape, attrs['begin'] as number[], attrs['size'] as number[]);
      const outputs = [{ shape: size, dtype: x.dtype }];
      return sameShape(x.shape, size) ? { outputs, alias: true } : { outputs, attrs: { begin, size } };
    },
  },
  Concat: {
    infer(inputs, attrs) {
      const first = at(inputs, 0);
      const axis = positiveAxis(Number(attrs['axis']), first.shape.length);
      const shape = [...first.shape];
      shape[axis] = inputs.reduce((sum, input) => sum + (input.shape[axis] as number), 0);
      return { outputs: [{ shape, dtype: first.dtype }], attrs: { axis } };
    },
  },
  SplitV: {
    inputs: ['x'],
    infer(inputs, attrs) {
      const x = at(inputs, 0);
      const axis = positiveAxis(Number(attrs['axis']), x.shape.length);
      const sizes = tf.backend_util.prepareSplitSize({ shape: [...x.shape] } as tf.Tensor, attrs['numOrSizeSplits'] as number | number[], axis);
      return {
        outputs: sizes.map((size) => ({ shape: x.shape.map((side, index) => (index === axis ? size : side)), dtype: x.dtype })),
        attrs: { axis, sizes },
      };
    },
  },
  Pack: {
    infer(inputs, attrs) {
      const first = at(inputs, 0);
      const axis = positiveAxis(Number(attrs['axis']), first.shape.length + 1);
      const shape = [...first.shape];
      shape.splice(axis, 0, inputs.length);
      return { outputs: [{ shape, dtype: first.dtype }], attrs: { axis } };
    },
  },
  Unpack: {
    inputs: ['value'],
    infer(inputs, attrs) {
      const x = at(inputs, 0);
      const axis = positiveAxis(Number(attrs['axis']), x.shape.length);
      const shape = x.shape.filter((_, index) => index !== axis);
      return { outputs: Array.from({ length: x.shape[axis] as number }, () => ({ shape, dtype: x.dtype })), attrs: { axis } };
    },
  },
  PadV2: padding(false),
  MirrorPad: padding(true),
  Tile: {
    inputs: ['x'],
    infer(inputs, attrs) {
      const x = at(inputs, 0);
      const reps = attrs['reps'] as number[];
      const outputs = [{ shape: x.shape.map((side, axis) => side * (reps[axis] ?? 1)), dtype: x.dtype }];
      return reps.every((count) => count === 1) ? { outputs, alias: true } : { outputs, attrs: { reps } };
    },
  },
  Reverse: {
    inputs: ['x'],
    infer(inputs, attrs) {
      const x = at(inputs, 0);
      return { outputs: [like(x)], attrs: { axes: tf.util.parseAxisParam(attrs['dims'] as number[], [...x.shape]) } };
    },
  },
  GatherV2: {
    inputs: ['x', 'indices'],
    infer(inputs, attrs) {
      const x = at(inputs, 0);
      const indices = at(inputs, 1);
      if (indices.dtype !== 'int32') throw new EngineError(`indices are ${indices.dtype}, expected int32`, { place: 'GatherV2' });
      const axis = positiveAxis(Number(attrs['axis'] ?? 0), x.shape.length);
      const batchDims = positiveAxis(Number(attrs['batchDims'] ?? 0), indices.shape.length);
      const shape = [...x.shape.slice(0, axis), ...indices.shape.slice(batchDims), ...x.shape.slice(axis + 1)];
      return { outputs: [{ shape, dtype: x.dtype }], attrs: { axis, batchDims } };
    },
  },
  UnsortedSegmentSum: {
    inputs: ['x', 'segmentIds'],
    infer(inputs, attrs) {
      const x = at(inputs, 0);
      const segments = Number(attrs['numSegments']);
      return { outputs: [{ shape: [segments, ...x.shape.slice(at(inputs, 1).shape.length)], dtype: x.dtype }], attrs: { segments } };
    },
  },
};
