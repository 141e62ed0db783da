import * as tf from '@tensorflow/tfjs-core';
import type { TracedType } from '../recording.js';
import { at, like, positiveAxis, type KernelSpec, type KernelTable } from './kernel-spec.js';

const reduction = (dtype?: TracedType): KernelSpec => ({
  inputs: ['x'],
  infer(inputs, attrs) {
    const x = at(inputs, 0);
    // Max alone calls its axes by another name.
    const axes = tf.util.parseAxisParam((attrs['axis'] ?? attrs['reductionIndices']) as number | number[], [...x.shape]);
    const keepDims = attrs['keepDims'] === true;
    const shape = x.shape.flatMap((side, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [side]));
    return { outputs: [{ shape, dtype: dtype ?? x.dtype }], attrs: { axes, keepDims } };
  },
});

const arg: KernelSpec = {
  inputs: ['x'],
  infer(inputs, attrs) {
    const { shape } = at(inputs, 0);
    const axis = positiveAxis(Number(attrs['axis']), shape.length);
    return { outputs: [{ shape: shape.filter((_, index) => index !== axis), dtype: 'int32' }], attrs: { axis } };
  },
};

/** The k largest along the last axis, largest first, and their places. */
const topK: KernelSpec = {
  inputs: ['x'],
  infer(inputs, attrs) {
    const x = at(inputs, 0);
    const k = Number(attrs['k']);
    const shape = [...x.shape.slice(0, -1), k];
    return { outputs: [{ shape, dtype: x.dtype }, { shape, dtype: 'int32' }], attrs: { k } };
  },
};

/** Over the last axis; tfjs moves any other axis there first. */
const alongLast = (input: string): KernelSpec => ({ inputs: [input], infer: (inputs) => ({ outputs: [like(at(inputs, 0))] }) });

export const REDUCTIONS: KernelTable = {
  Sum: reduction(),
  Max: reduction(),
  Min: reduction(),
  Prod: reduction(),
  All: reduction(),
  Any: reduction(),
  Mean: reduction('float32'),
  ArgMax: arg,
  ArgMin: arg,
  TopK: topK,
  Softmax: alongLast('logits'),
  LogSoftmax: alongLast('logits'),
};
