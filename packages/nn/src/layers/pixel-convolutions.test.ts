import * as tf from '@tensorflow/tfjs';
import { fromFileLayout } from '@mimlab/core';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { paramsOf } from '../../test-support/objective.js';
import { linear } from './linear.js';
import { pointwiseParams, transposedConvolution, transposedConvolutionParams } from './pixel-convolutions.js';

onEveryBackend('convolutions of single pixels', () => {
  it('turn a pixel into a block in raster order', () => {
    // One input, two outputs: the file's kernel is [1, 2, 2, 2], output first, then row, then column.
    const { layout, shape } = transposedConvolutionParams('up', 1, 2, 2)['up.weight']!;
    const { data } = fromFileLayout(layout, { shape: [1, 2, 2, 2], dtype: 'float32', data: Float32Array.of(1, 2, 3, 4, 10, 20, 30, 40) }, shape);
    const params = { 'up.weight': tf.tensor(data, [...shape]), 'up.bias': tf.tensor1d([0.5, 0]) };
    const out = transposedConvolution(tf.tensor2d([[1], [-1]]), params, 'up');
    expect(out.shape).toEqual([8, 2]);
    expectValues(out, [1.5, 10, 2.5, 20, 3.5, 30, 4.5, 40, -0.5, -10, -1.5, -20, -2.5, -30, -3.5, -40]);
  });

  it('have gradients for input, weight and bias', () => {
    const params = paramsOf(transposedConvolutionParams('up', 3, 2, 2));
    expectGradients(
      (x, weight, bias) => transposedConvolution(x as tf.Tensor2D, { 'up.weight': weight!, 'up.bias': bias! }, 'up'),
      [scattered([2, 3]), params['up.weight']!, params['up.bias']!],
    );
  });

  it('of one pixel by one are linear maps', () => {
    const { layout, shape } = pointwiseParams('head', 2, 3)['head.weight']!;
    const { data } = fromFileLayout(layout, { shape: [3, 2, 1, 1], dtype: 'float32', data: Float32Array.of(1, 2, 3, 4, 5, 6) }, shape);
    const params = { 'head.weight': tf.tensor(data, [...shape]), 'head.bias': tf.tensor1d([0, 0, 1]) };
    expectValues(linear(tf.tensor2d([[1, 10]]), params, 'head'), [21, 43, 66]);
  });
});
