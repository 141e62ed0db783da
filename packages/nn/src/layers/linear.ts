import type { Params } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { param } from '../params/lookup.js';

/**
 * x W + b over rows, with `PREFIX.weight` [in, out] and `PREFIX.bias` [out]. The bias is added right behind the product,
 * where the compiled engine fuses the two.
 */
export function linear(x_MI: Tensor2D, params: Params, prefix: string): Tensor2D {
  return tf.add(tf.matMul(x_MI, param<Tensor2D>(params, `${prefix}.weight`)), param<Tensor1D>(params, `${prefix}.bias`));
}
