import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { checkHeads, type SequenceShape } from './attention.js';

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
  const head = width / heads;
  /** The first `count` tokens of a third of the rows, head by head: [B * heads, count, D / heads]. */
  const take = (place: number, count: number): Tensor3D => {
    const part = tf.slice(tf.reshape(qkv_M3D, [batch, tokens, 3 * width]), [0, 0, place * width], [batch, count, width]);
    return tf.reshape(tf.transpose(tf.reshape(part, [batch, count, heads, head]), [0, 2, 1, 3]), [batch * heads, count, head]);
  };
  const query = tf.mul(take(0, 1), 1 / Math.sqrt(head)) as Tensor3D;
  const scores = tf.matMul(query, take(1, tokens), false, true);
  const groups = bias_Ghnn?.shape[0] ?? 1;
  const biased =
    bias_Ghnn === undefined
      ? scores
      : tf.add(tf.reshape(scores, [batch / groups, groups, heads, tokens]), tf.reshape(tf.slice(bias_Ghnn, [0, 0, 0, 0], [groups, heads, 1, tokens]), [1, groups, heads, tokens]));
  const probabilities = tf.softmax(biased);
  return tf.slice(tf.reshape(probabilities, [batch, heads, tokens]) as Tensor3D, [0, 0, 1], [batch, heads, tokens - 1]);
}
