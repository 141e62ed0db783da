import type { Params } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { attention, type SequenceShape } from './attention.js';
import { gelu } from './gelu.js';
import { layerNorm } from './layer-norm.js';
import { linear } from './linear.js';

/** x + proj(attention(norm1(x))), then x + mlp(norm2(x)). No dropout. Rows [B*n, D] in and out. */
export function vitBlock(x_MD: Tensor2D, params: Params, prefix: string, shape: SequenceShape): Tensor2D {
  const qkv = linear(layerNorm(x_MD, params, `${prefix}.norm1`), params, `${prefix}.attn.qkv`);
  const attended = tf.add(x_MD, linear(attention(qkv, shape), params, `${prefix}.attn.proj`)) as Tensor2D;
  const hidden = gelu(linear(layerNorm(attended, params, `${prefix}.norm2`), params, `${prefix}.mlp.fc1`));
  return tf.add(attended, linear(hidden, params, `${prefix}.mlp.fc2`));
}

/** Blocks `PREFIX.0` to `PREFIX.(depth - 1)`, one after the other. */
export function vitBlocks(x_MD: Tensor2D, params: Params, prefix: string, depth: number, shape: SequenceShape): Tensor2D {
  let x = x_MD;
  for (let i = 0; i < depth; i++) x = vitBlock(x, params, `${prefix}.${i}`, shape);
  return x;
}
