import { asBlock, type Initializer, type Params, type ParamSpecs } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { gelu } from '../layers/gelu.js';
import { layerNorm } from '../layers/layer-norm.js';
import { linear } from '../layers/linear.js';
import type { ResidualRule } from '../layers/residual-rule.js';
import { normal } from '../params/initializers.js';
import { plainParam, vitBlockParams } from '../params/specs.js';

/** Epsilon of every layer norm in the official Swin models; GreenMIM pre-trains with that of the ViTs instead. */
export const SWIN_EPSILON = 1e-5;

/** Linear weights, tables of relative positions and mask token start as normal(0, 0.02); biases at zero. */
export const swinInit: Initializer = normal(0.02);

/**
 * x + attend(norm1(x)), then x + mlp(norm2(x)). What attends to what is the caller's: whole windows of a grid, or groups
 * of visible tokens.
 * @param x_MC [M, C]
 */
export function swinBlock(
  x_MC: Tensor2D,
  params: Params,
  prefix: string,
  attend: (normed_MC: Tensor2D) => Tensor2D,
  residual: ResidualRule = (branch) => branch,
  epsilon: number = SWIN_EPSILON,
): Tensor2D {
  return asBlock(() => {
    const attended = tf.add(x_MC, residual(attend(layerNorm(x_MC, params, `${prefix}.norm1`, epsilon)), 'attention')) as Tensor2D;
    const hidden = gelu(linear(layerNorm(attended, params, `${prefix}.norm2`, epsilon), params, `${prefix}.mlp.fc1`));
    return tf.add(attended, residual(linear(hidden, params, `${prefix}.mlp.fc2`), 'mlp'));
  });
}

export interface SwinBlockSize {
  readonly width: number;
  readonly heads: number;
  readonly mlpRatio: number;
  /** Side of the window that its table of relative positions is made for. */
  readonly window: number;
}

/** All parameters of one Swin block under the official names. */
export const swinBlockParams = (prefix: string, { width, heads, mlpRatio, window }: SwinBlockSize): ParamSpecs => ({
  ...vitBlockParams(prefix, width, mlpRatio, { weight: swinInit }),
  [`${prefix}.attn.relative_position_bias_table`]: plainParam([(2 * window - 1) ** 2, heads], swinInit),
});
