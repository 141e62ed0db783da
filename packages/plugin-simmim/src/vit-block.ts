import type { Initializer, Params, ParamSpecs } from '@mimlab/core';
import { affine, attention, constant, gelu, layerNorm, linear, linearParams, mlpWidth, normParams, param, plainParam, scaleColumns, truncatedNormal, zeros, type SequenceShape } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';

/** Normal of deviation 0.02 cut at one deviation, as the pre-training model draws everything that is no norm or bias. */
export const vitInit: Initializer = truncatedNormal(0.02, 1);

export interface VitBlockSize {
  readonly width: number;
  readonly mlpRatio: number;
  /** Start of the scale of both residual branches; null: none. */
  readonly layerScale: number | null;
}

/** Last maps of the residual branches of block `number` (from 1) start smaller the deeper they lie. */
const dampened =
  (number: number): Initializer =>
  (shape, random) =>
    vitInit(shape, random).map((value) => value / Math.sqrt(2 * number));

/** Parameters of block `i` (from 0) under the official names. Queries and values have biases of their own, keys have none. */
export function vitBlockParams(prefix: string, i: number, { width, mlpRatio, layerScale }: VitBlockSize): ParamSpecs {
  const hidden = mlpWidth(width, mlpRatio);
  const scales: ParamSpecs =
    layerScale === null ? {} : { [`${prefix}.gamma_1`]: plainParam([width], constant(layerScale)), [`${prefix}.gamma_2`]: plainParam([width], constant(layerScale)) };
  return {
    ...scales,
    ...normParams(`${prefix}.norm1`, width),
    [`${prefix}.attn.q_bias`]: plainParam([width], zeros),
    [`${prefix}.attn.v_bias`]: plainParam([width], zeros),
    [`${prefix}.attn.qkv.weight`]: { shape: [width, 3 * width], trainable: true, init: vitInit, layout: { kind: 'linear' } },
    ...linearParams(`${prefix}.attn.proj`, width, width, { weight: dampened(i + 1) }),
    ...normParams(`${prefix}.norm2`, width),
    ...linearParams(`${prefix}.mlp.fc1`, width, hidden, { weight: vitInit }),
    ...linearParams(`${prefix}.mlp.fc2`, hidden, width, { weight: dampened(i + 1) }),
  };
}

/** Queries, keys and values of a block. @param x_MD [B * n, D]  @returns [B * n, 3D] */
export function blockQkv(x_MD: Tensor2D, params: Params, prefix: string): Tensor2D {
  const queries = param<Tensor1D>(params, `${prefix}.attn.q_bias`);
  const joined = tf.concat([queries, tf.zeros(queries.shape), param<Tensor1D>(params, `${prefix}.attn.v_bias`)]) as Tensor1D;
  return affine(layerNorm(x_MD, params, `${prefix}.norm1`), param<Tensor2D>(params, `${prefix}.attn.qkv.weight`), joined);
}

/**
 * x + gamma1 attention(norm1(x)), then x + gamma2 mlp(norm2(x)), scores biased by relative positions.
 * Source: official SimMIM, vision_transformer.py, Block and Attention.
 * @param x_MD [B * n, D]  @param drop what stochastic depth does to a branch
 */
export function biasedVitBlock(x_MD: Tensor2D, params: Params, prefix: string, shape: SequenceShape, bias_Ghnn: Tensor4D, drop: (branch: Tensor2D, which: 0 | 1) => Tensor2D): Tensor2D {
  const scaled = (branch: Tensor2D, gamma: string): Tensor2D => {
    const factors = params[`${prefix}.${gamma}`] as Tensor1D | undefined;
    return factors === undefined ? branch : scaleColumns(branch, factors);
  };
  const attended = linear(attention(blockQkv(x_MD, params, prefix), shape, bias_Ghnn), params, `${prefix}.attn.proj`);
  const x = tf.add(x_MD, drop(scaled(attended, 'gamma_1'), 0)) as Tensor2D;
  const hidden = gelu(linear(layerNorm(x, params, `${prefix}.norm2`), params, `${prefix}.mlp.fc1`));
  return tf.add(x, drop(scaled(linear(hidden, params, `${prefix}.mlp.fc2`), 'gamma_2'), 1));
}
