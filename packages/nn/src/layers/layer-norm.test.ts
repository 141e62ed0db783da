import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { layerNormOf, toMatrix } from '../../test-support/reference.js';
import { layerNorm, normalizeRows } from './layer-norm.js';

onEveryBackend('layer norm', () => {
  it('normalises by the biased variance, then applies gain and offset', () => {
    const x = scattered([3, 4]) as tf.Tensor2D;
    const gain = [1, 2, -1, 0.5];
    const offset = [0, 0.1, 0.2, 0.3];
    const expected = layerNormOf(toMatrix(x.dataSync(), 4), gain, offset, 1e-6).flat();
    expectValues(layerNorm(x, { 'norm.weight': tf.tensor1d(gain), 'norm.bias': tf.tensor1d(offset) }, 'norm'), expected);
  });

  it('keeps its epsilon inside the root, so a flat row becomes the offset', () => {
    expectValues(normalizeRows(tf.tensor2d([[7, 7, 7]]), tf.tensor1d([1, 1, 1]), tf.tensor1d([1, 2, 3]), 1e-6), [1, 2, 3]);
  });

  it('has the gradients of input, gain and offset', () => {
    expectGradients(
      (x, gain, offset) => normalizeRows(x as tf.Tensor2D, gain as tf.Tensor1D, offset as tf.Tensor1D, 1e-6),
      [scattered([3, 5]), scattered([5], 2), scattered([5], 4)],
    );
  });
});

describe('layer norm on a backend with a kernel of its own', () => {
  afterEach(() => {
    tf.unregisterKernel('MimLayerNorm', 'cpu');
  });

  it('uses that kernel and its mean and deviation', async () => {
    await tf.setBackend('cpu');
    let seen: unknown;
    tf.registerKernel({
      kernelName: 'MimLayerNorm',
      backendName: 'cpu',
      kernelFunc: ({ inputs, attrs }) => {
        seen = { attrs, inputs: Object.keys(inputs) };
        return [tf.tensor2d([[5, 6]]), tf.tensor2d([[1]]), tf.tensor2d([[1]])];
      },
    });
    const y = normalizeRows(tf.tensor2d([[1, 3]]), tf.tensor1d([1, 1]), tf.tensor1d([0, 0]), 1e-5);
    expectValues(y, [5, 6]);
    expect(seen).toEqual({ attrs: { epsilon: 1e-5 }, inputs: ['x', 'gain', 'offset'] });
  });
});
