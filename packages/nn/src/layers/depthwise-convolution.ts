import { ConfigError } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { hasKernel, savedAt, withGradient } from './custom-gradient.js';

/**
 * Depth-wise convolution, stride 1, zero padding k // 2, one filter a channel: cross-correlation, as PyTorch's. Trains
 * on every backend: where the two backward kernels are missing (wasm) the input's gradient is the same convolution
 * with the turned kernel, the kernel's a sum over shifted slices.
 * @param x_BHWC [B, H, W, C]  @param kernel [k, k, C, 1], k odd; may be larger than the grid
 * @returns [B, H, W, C]
 * @throws ConfigError if a side of the kernel is even.
 */
export function depthwiseConvolution(x_BHWC: Tensor4D, kernel: Tensor4D): Tensor4D {
  const [rows, columns] = kernel.shape;
  if (rows % 2 === 0 || columns % 2 === 0) {
    throw new ConfigError(`a kernel of ${rows} x ${columns} has no centre`, { place: 'kernel', remedy: 'Choose odd sizes.' });
  }
  if (hasKernel('DepthwiseConv2dNativeBackpropInput') && hasKernel('DepthwiseConv2dNativeBackpropFilter')) return convolve(x_BHWC, kernel);
  return withGradient(
    [x_BHWC, kernel],
    (save) => {
      save([x_BHWC, kernel]);
      return convolve(x_BHWC, kernel);
    },
    (dy, saved) => [convolve(dy, tf.reverse(savedAt<Tensor4D>(saved, 1), [0, 1])), kernelGradient(savedAt<Tensor4D>(saved, 0), dy, rows, columns)],
  );
}

const convolve = (x: Tensor4D, kernel: Tensor4D): Tensor4D => tf.depthwiseConv2d(x, kernel, 1, 'same');

/** Tap (u, v) meets, over all positions, the input shifted by (u - k // 2, v - k // 2). */
function kernelGradient(x: Tensor4D, dy: Tensor4D, kernelRows: number, kernelColumns: number): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const top = (kernelRows - 1) / 2;
  const left = (kernelColumns - 1) / 2;
  const padded = tf.pad(x, [[0, 0], [top, top], [left, left], [0, 0]]);
  const taps: Tensor[] = [];
  for (let u = 0; u < kernelRows; u++) {
    for (let v = 0; v < kernelColumns; v++) {
      const shifted = tf.slice(padded, [0, u, v, 0], [batch, height, width, channels]);
      taps.push(tf.sum(tf.mul(shifted, dy), [0, 1, 2]));
    }
  }
  return tf.reshape(tf.stack(taps, 0), [kernelRows, kernelColumns, channels, 1]);
}
