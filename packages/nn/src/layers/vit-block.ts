import { asBlock, type Params } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { attention, type SequenceShape } from './attention.js';
import { gelu } from './gelu.js';
import { layerNorm } from './layer-norm.js';
import { linear } from './linear.js';

/** x + proj(attention(norm1(x))), then x + mlp(norm2(x)). No dropout. Rows [B*n, D] in and out. */
export const vitBlock = (x_MD: Tensor2D, params: Params, prefix: string, shape: SequenceShape): Tensor2D =>
  asBlock(() => vitBlockFrom(x_MD, blockQkv(x_MD, params, prefix), params, prefix, shape));

/** Fused rows [q | k | v] of a block, [B*n, 3D]: what its attention works on. */
export const blockQkv = (x_MD: Tensor2D, params: Params, prefix: string): Tensor2D =>
  linear(layerNorm(x_MD, params, `${prefix}.norm1`), params, `${prefix}.attn.qkv`);

/** The rest of a block behind `blockQkv`, for those who look at queries and keys themselves. */
export function vitBlockFrom(x_MD: Tensor2D, qkv_M3D: Tensor2D, params: Params, prefix: string, shape: SequenceShape): Tensor2D {
  const attended = tf.add(x_MD, linear(attention(qkv_M3D, shape), params, `${prefix}.attn.proj`)) as Tensor2D;
  const hidden = gelu(linear(layerNorm(attended, params, `${prefix}.norm2`), params, `${prefix}.mlp.fc1`));
  return tf.add(attended, linear(hidden, params, `${prefix}.mlp.fc2`));
}

/** Blocks `PREFIX.0` to `PREFIX.(depth - 1)`, one after the other. */
export const vitBlocks = (x_MD: Tensor2D, params: Params, prefix: string, depth: number, shape: SequenceShape): Tensor2D =>
  vitBlockOutputs(x_MD, params, prefix, depth, shape).at(-1) ?? x_MD;

/** What each of these blocks gives, in order; nothing is normed. */
export function vitBlockOutputs(x_MD: Tensor2D, params: Params, prefix: string, depth: number, shape: SequenceShape): Tensor2D[] {
  const outputs: Tensor2D[] = [];
  for (let i = 0; i < depth; i++) outputs.push(vitBlock(outputs.at(-1) ?? x_MD, params, `${prefix}.${i}`, shape));
  return outputs;
}
