import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { checkHeads, type SequenceShape } from './attention.js';

/** Heads apart: [B, n, D] to [B * heads, n, D / heads]. */
function splitHeads(x_BnD: Tensor3D, heads: number): Tensor3D {
  const [batch, tokens, width] = x_BnD.shape;
  const head = width / heads;
  return tf.reshape(tf.transpose(tf.reshape(x_BnD, [batch, tokens, heads, head]), [0, 2, 1, 3]), [batch * heads, tokens, head]);
}

/** Products of every query with every key, head by head, not scaled: [B * heads, queries, keys]. Queries and keys [B, n, D], heads side by side. */
export const attentionScores = (queries_BQD: Tensor3D, keys_BnD: Tensor3D, heads: number): Tensor3D =>
  tf.matMul(splitHeads(queries_BQD, heads), splitHeads(keys_BnD, heads), false, true);

/**
 * Softmax attention of the first token (the class token) to the others: the first row of each head's attention matrix
 * without its first column. Not meant to be differentiated.
 * @param qkv_M3D fused rows [q | k | v], [B*n, 3D], as `attention` takes them
 * @param bias_Ghnn added to the scores, as `attention` takes it
 * @returns [B, heads, n - 1]
 */
export function classAttention(qkv_M3D: Tensor2D, shape: SequenceShape, bias_Ghnn?: Tensor4D): Tensor3D {
  const { batch, tokens, heads } = shape;
  const width = qkv_M3D.shape[1] / 3;
  checkHeads(width, heads);
  /** The first `count` tokens of a third of the rows, [B, count, D]. */
  const take = (place: number, count: number): Tensor3D => tf.slice(tf.reshape(qkv_M3D, [batch, tokens, 3 * width]) as Tensor3D, [0, 0, place * width], [batch, count, width]);
  const scores = attentionScores(tf.mul(take(0, 1), 1 / Math.sqrt(width / heads)) as Tensor3D, take(1, tokens), heads);
  const groups = bias_Ghnn?.shape[0] ?? 1;
  const biased =
    bias_Ghnn === undefined
      ? scores
      : tf.add(tf.reshape(scores, [batch / groups, groups, heads, tokens]), tf.reshape(tf.slice(bias_Ghnn, [0, 0, 0, 0], [groups, heads, 1, tokens]), [1, groups, heads, tokens]));
  const probabilities = tf.softmax(biased);
  return tf.slice(tf.reshape(probabilities, [batch, heads, tokens]) as Tensor3D, [0, 0, 1], [batch, heads, tokens - 1]);
}
