import type { Params } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { param } from '../params/lookup.js';
import { columnSums } from './column-sums.js';
import { savedAt, withGradient } from './custom-gradient.js';
import { gelu } from './gelu.js';

/**
 * x W + b over rows, with `PREFIX.weight` [in, out] and `PREFIX.bias` [out]. The bias is added right behind the product,
 * where the compiled engine fuses the two.
 */
export const linear = (x_MI: Tensor2D, params: Params, prefix: string): Tensor2D =>
  affine(x_MI, param<Tensor2D>(params, `${prefix}.weight`), param<Tensor1D>(params, `${prefix}.bias`));

/** Linear maps `PREFIX.fc1` and `PREFIX.fc2` with a GELU between them. */
export const mlp = (x_MI: Tensor2D, params: Params, prefix: string): Tensor2D => linear(gelu(linear(x_MI, params, `${prefix}.fc1`)), params, `${prefix}.fc2`);

/** As `linear`, with weight [in, out] and bias [out] given as tensors. */
export function affine(x_MI: Tensor2D, weight: Tensor2D, bias: Tensor1D): Tensor2D {
  return withGradient(
    [x_MI, weight, bias],
    (save) => {
      save([x_MI, weight]);
      return tf.add(tf.matMul(x_MI, weight), bias);
    },
    (dy, saved) => [
      tf.matMul(dy, savedAt<Tensor2D>(saved, 1), false, true),
      tf.matMul(savedAt<Tensor2D>(saved, 0), dy, true, false),
      columnSums(dy),
    ],
  );
}
