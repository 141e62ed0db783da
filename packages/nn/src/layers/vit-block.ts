import { asBlock, type Params } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { param } from '../params/lookup.js';
import type { ResidualRule } from './residual-rule.js';
import { attention, type SequenceShape } from './attention.js';
import { layerNorm } from './layer-norm.js';
import { affine, linear, mlp } from './linear.js';
import { scaleColumns } from './scale-columns.js';

export type ResidualBranch = Parameters<ResidualRule>[1];

/** What a block does beyond the plain one. */
export interface VitBlockRules {
  /** Added to the scores, as `attention` takes it: relative positions. */
  readonly bias_Ghnn?: Tensor4D;
  /** Residual branches that a learned scale multiplies. */
  readonly scaled?: readonly ResidualBranch[];
  /** What happens to a branch behind its scale: stochastic depth, say. */
  readonly residual?: ResidualRule;
}
/** Official names of the scales, behind that of the block. */
export const SCALES = { attention: 'gamma_1', mlp: 'gamma_2' } as const;

/** x + proj(attention(norm1(x))), then x + mlp(norm2(x)). No dropout. Rows [B*n, D] in and out. */
export const vitBlock = (x_MD: Tensor2D, params: Params, prefix: string, shape: SequenceShape, rules: VitBlockRules = {}): Tensor2D =>
  asBlock(() => vitBlockFrom(x_MD, blockQkv(x_MD, params, prefix), params, prefix, shape, rules));

/** Fused rows [q | k | v] of a block, [B*n, 3D]: what its attention works on. Where queries and values have biases of their own (BEiT), keys have none. */
export function blockQkv(x_MD: Tensor2D, params: Params, prefix: string): Tensor2D {
  const normed = layerNorm(x_MD, params, `${prefix}.norm1`);
  const queries = params[`${prefix}.attn.q_bias`] as Tensor1D | undefined;
  if (queries === undefined) return linear(normed, params, `${prefix}.attn.qkv`);
  const joined = tf.concat([queries, tf.zeros(queries.shape), param<Tensor1D>(params, `${prefix}.attn.v_bias`)]) as Tensor1D;
  return affine(normed, param<Tensor2D>(params, `${prefix}.attn.qkv.weight`), joined);
}

/** The rest of a block behind `blockQkv`, for those who look at queries and keys themselves. */
export function vitBlockFrom(x_MD: Tensor2D, qkv_M3D: Tensor2D, params: Params, prefix: string, shape: SequenceShape, rules: VitBlockRules = {}): Tensor2D {
  const { bias_Ghnn, scaled = [], residual = (branch) => branch } = rules;
  const branch = (rows_MD: Tensor2D, which: ResidualBranch): Tensor2D =>
    residual(scaled.includes(which) ? scaleColumns(rows_MD, param<Tensor1D>(params, `${prefix}.${SCALES[which]}`)) : rows_MD, which);
  const attended = tf.add(x_MD, branch(linear(attention(qkv_M3D, shape, bias_Ghnn), params, `${prefix}.attn.proj`), 'attention')) as Tensor2D;
  return tf.add(attended, branch(mlp(layerNorm(attended, params, `${prefix}.norm2`), params, `${prefix}.mlp`), 'mlp'));
}

/** Rules of each block of a stack, by its number. */
export type StackRules = (block: number) => VitBlockRules;
const plain: StackRules = () => ({});

/** Blocks `PREFIX.0` to `PREFIX.(depth - 1)`, one after the other. */
export const vitBlocks = (x_MD: Tensor2D, params: Params, prefix: string, depth: number, shape: SequenceShape, rules: StackRules = plain): Tensor2D =>
  vitBlockOutputs(x_MD, params, prefix, depth, shape, rules).at(-1) ?? x_MD;

/** What each of these blocks gives, in order; nothing is normed. */
export function vitBlockOutputs(x_MD: Tensor2D, params: Params, prefix: string, depth: number, shape: SequenceShape, rules: StackRules = plain): Tensor2D[] {
  const outputs: Tensor2D[] = [];
  for (let i = 0; i < depth; i++) outputs.push(vitBlock(outputs.at(-1) ?? x_MD, params, `${prefix}.${i}`, shape, rules(i)));
  return outputs;
}
