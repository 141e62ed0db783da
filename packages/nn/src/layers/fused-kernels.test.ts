import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectValues } from '../../test-support/gradient-check.js';
import { attention } from './attention.js';
import { columnSums } from './column-sums.js';
import { gelu } from './gelu.js';
import { normalizeRows } from './layer-norm.js';

const ATTENTION = { tokens: 2, heads: 1 };

/** Stand-ins that give numbers no formula would, so that a result tells who computed it. */
const KERNELS: Record<string, (inputs: tf.NamedTensorInfoMap, attrs: tf.NamedAttrMap | undefined) => tf.TensorInfo | tf.TensorInfo[]> = {
  MimGelu: () => [tf.tensor1d([10, 20]), tf.tensor1d([3, 4])],
  MimColumnSums: () => tf.tensor1d([7, 8]),
  MimLayerNorm: () => [tf.tensor2d([[5, 6]]), tf.tensor2d([[1]]), tf.tensor2d([[2]])],
  MimLayerNormGrad: (inputs) => {
    expect(Object.keys(inputs)).toEqual(['dy', 'x', 'gain', 'mean', 'rstd']);
    return [tf.tensor2d([[1, 2]]), tf.tensor1d([3, 4]), tf.tensor1d([5, 6])];
  },
  MimAttention: (_inputs, attrs) => {
    expect(attrs).toEqual(ATTENTION);
    return tf.tensor2d([[21], [22]]);
  },
  MimAttentionGrad: (inputs) => {
    expect(Object.keys(inputs)).toEqual(['dout', 'qkv', 'out']);
    return tf.tensor2d([[1, 2, 3], [4, 5, 6]]);
  },
};

describe('layers on a backend with fused kernels', () => {
  beforeEach(async () => {
    await tf.setBackend('cpu');
    for (const [kernelName, compute] of Object.entries(KERNELS)) {
      tf.registerKernel({ kernelName, backendName: 'cpu', kernelFunc: ({ inputs, attrs }) => compute(inputs, attrs) });
    }
  });
  afterEach(() => {
    for (const kernelName of Object.keys(KERNELS)) tf.unregisterKernel(kernelName, 'cpu');
  });

  it('GELU takes value and derivative from one kernel', () => {
    const { value, grad } = tf.valueAndGrad((x) => gelu(x))(tf.tensor1d([1, 2]), tf.tensor1d([1, 10]));
    expectValues(value, [10, 20]);
    expectValues(grad, [3, 40]);
  });

  it('column sums come from their kernel', () => {
    expectValues(columnSums(tf.tensor2d([[1, 1]])), [7, 8]);
  });

  it('layer norm takes result and gradients from its kernels', () => {
    const { value, grads } = tf.valueAndGrads((x, gain, offset) => normalizeRows(x as tf.Tensor2D, gain as tf.Tensor1D, offset as tf.Tensor1D, 1e-6))([
      tf.tensor2d([[1, 3]]),
      tf.tensor1d([1, 1]),
      tf.tensor1d([0, 0]),
    ]);
    expectValues(value, [5, 6]);
    expectValues(grads[0] as tf.Tensor, [1, 2]);
    expectValues(grads[1] as tf.Tensor, [3, 4]);
    expectValues(grads[2] as tf.Tensor, [5, 6]);
  });

  it('attention takes result and gradient from its kernels, and does without them where scores are biased', () => {
    const qkv = tf.tensor2d([[0, 0, 3], [0, 0, 5]]);
    const { value, grad } = tf.valueAndGrad((x) => attention(x as tf.Tensor2D, { batch: 1, ...ATTENTION }))(qkv, tf.tensor2d([[1], [1]]));
    expectValues(value, [21, 22]);
    expectValues(grad, [1, 2, 3, 4, 5, 6]);
    expectValues(attention(qkv, { batch: 1, ...ATTENTION }, tf.zeros([1, 1, 2, 2])), [4, 4]);
  });
});
