import type * as tf from '@tensorflow/tfjs';
import { ConfigError } from '@mimlab/core';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { depthwiseConvolution } from './depthwise-convolution.js';

/** Cross-correlation with zero padding, written out. */
function reference(x: tf.Tensor4D, kernel: tf.Tensor4D): number[] {
  const [batch, height, width, channels] = x.shape;
  const size = kernel.shape[0];
  const [values, taps] = [x.dataSync(), kernel.dataSync()];
  const out: number[] = [];
  const half = (size - 1) / 2;
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++)
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let u = 0; u < size; u++)
            for (let v = 0; v < size; v++) {
              const [r, s] = [i + u - half, j + v - half];
              if (r < 0 || s < 0 || r >= height || s >= width) continue;
              sum += (values[((b * height + r) * width + s) * channels + c] as number) * (taps[(u * size + v) * channels + c] as number);
            }
          out.push(sum);
        }
  return out;
}

onEveryBackend('depth-wise convolution', () => {
  it.each([1, 3, 5, 7])('slides a kernel of side %d over a grid that may be smaller than it', (size) => {
    const x = scattered([2, 3, 4, 2]) as tf.Tensor4D;
    const kernel = scattered([size, size, 2, 1], 2) as tf.Tensor4D;
    expectValues(depthwiseConvolution(x, kernel), reference(x, kernel), 4);
  });

  it.each([3, 5, 7])('has the gradients of grid and kernel of side %d', (size) => {
    expectGradients(
      (x, kernel) => depthwiseConvolution(x as tf.Tensor4D, kernel as tf.Tensor4D),
      [scattered([2, 3, 2, 2]), scattered([size, size, 2, 1], 2)],
    );
  });

  it('refuses a kernel without a centre', () => {
    expect(() => depthwiseConvolution(scattered([1, 4, 4, 1]) as tf.Tensor4D, scattered([2, 2, 1, 1]) as tf.Tensor4D)).toThrow(ConfigError);
  });
});
