import type { Params, ParamSpecs } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { torchUniform } from '../params/initializers.js';
import { param } from '../params/lookup.js';
import { plainParam } from '../params/specs.js';
import { columnSums } from './column-sums.js';
import { savedAt, withGradient } from './custom-gradient.js';

/**
 * A 1 x 1 convolution, which is a linear map of each pixel: use `linear` for it. Files hold the kernel [out, in, 1, 1].
 * Starts with PyTorch's convolution default.
 */
export const pointwiseParams = (prefix: string, inputs: number, outputs: number): ParamSpecs => ({
  [`${prefix}.weight`]: { shape: [inputs, outputs], trainable: true, init: torchUniform(inputs), layout: { kind: 'patch', patch: [1, 1], channels: inputs } },
  [`${prefix}.bias`]: plainParam([outputs], torchUniform(inputs)),
});

/**
 * Parameters of a transposed convolution of kernel and stride `side`: `PREFIX.weight` [in, side * side * out], in files
 * [in, out, side, side], and `PREFIX.bias` [out]. Starts with PyTorch's default, which takes the fan from the second
 * axis of the file's weight: out * side * side.
 */
export const transposedConvolutionParams = (prefix: string, inputs: number, outputs: number, side: number): ParamSpecs => {
  const init = torchUniform(outputs * side * side);
  return {
    [`${prefix}.weight`]: { shape: [inputs, side * side * outputs], trainable: true, init, layout: { kind: 'deconv', kernel: [side, side] } },
    [`${prefix}.bias`]: plainParam([outputs], init),
  };
};

/**
 * A transposed convolution whose stride is its kernel: kernels do not overlap, so every pixel by itself becomes a block of
 * pixels, by one matrix product.
 * @param x_MI rows of pixels
 * @returns [M * kernel pixels, out]: the block of a row follows as rows of its own, in raster order
 */
export function transposedConvolution(x_MI: Tensor2D, params: Params, prefix: string): Tensor2D {
  const weight = param<Tensor2D>(params, `${prefix}.weight`);
  const bias = param<Tensor1D>(params, `${prefix}.bias`);
  const outputs = bias.shape[0];
  const columns = weight.shape[1];
  return withGradient<Tensor2D>(
    [x_MI, weight, bias],
    (save) => {
      save([x_MI, weight]);
      return tf.add(tf.reshape(tf.matMul(x_MI, weight), [-1, outputs]), bias);
    },
    (dy, saved) => {
      const dBlocks = tf.reshape(dy, [-1, columns]) as Tensor2D;
      return [tf.matMul(dBlocks, savedAt<Tensor2D>(saved, 1), false, true), tf.matMul(savedAt<Tensor2D>(saved, 0), dBlocks, true, false), columnSums(dy)];
    },
  );
}
