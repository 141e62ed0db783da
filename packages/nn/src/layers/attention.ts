import { ConfigError } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { columnSums } from './column-sums.js';
import { hasKernel, runKernel, savedAt, withGradient } from './custom-gradient.js';

/** How the rows of a sequence batch are to be read: row b * tokens + t. */
export interface SequenceShape {
  readonly batch: number;
  readonly tokens: number;
  readonly heads: number;
}

/**
 * Multi-head self-attention over fused rows [q | k | v], heads side by side inside each: softmax(q k^T / sqrt(h)) v,
 * h = D / heads. Probabilities are kept; the backward pass takes the sum over dP * P from the output instead,
 * rowsum(dO * O), which touches n times fewer numbers.
 * @param qkv_M3D [B*n, 3D]
 * @param bias_Ghnn added to the scores before the softmax: relative positions, masks. Sequence s gets the bias of group
 * s % G: one for all (G 1), one for each window of an image (sequences image by image), or one for each sequence (G B).
 * @returns [B*n, D]
 * @throws ConfigError if the heads do not divide the width.
 */
export function attention(qkv_M3D: Tensor2D, shape: SequenceShape, bias_Ghnn?: Tensor4D): Tensor2D {
  const { batch, tokens, heads } = shape;
  const width = qkv_M3D.shape[1] / 3;
  checkHeads(width, heads);
  if (bias_Ghnn === undefined && hasKernel('MimAttention')) return fusedAttention(qkv_M3D, tokens, heads);
  const head = width / heads;
  const scale = 1 / Math.sqrt(head);
  const splitHeads = (x: Tensor2D): Tensor3D =>
    tf.reshape(tf.transpose(tf.reshape(x, [batch, tokens, heads, head]), [0, 2, 1, 3]), [batch * heads, tokens, head]);
  const joinHeads = (x: Tensor3D): Tensor2D =>
    tf.reshape(tf.transpose(tf.reshape(x, [batch, heads, tokens, head]), [0, 2, 1, 3]), [batch * tokens, width]);

  const groups = bias_Ghnn?.shape[0] ?? 1;
  /** Scores of a group side by side, [B / G, G*h*n*n]. */
  const grouped = (scores: Tensor3D): Tensor2D => tf.reshape(scores, [batch / groups, groups * heads * tokens * tokens]);
  const biased = (scores: Tensor3D): Tensor3D =>
    bias_Ghnn === undefined ? scores : tf.reshape(tf.add(grouped(scores), tf.reshape(bias_Ghnn, [1, -1])), scores.shape);

  return withGradient(
    bias_Ghnn === undefined ? [qkv_M3D] : [qkv_M3D, bias_Ghnn],
    (save) => {
      const stacked = tf.transpose(tf.reshape(qkv_M3D, [batch, tokens, 3, heads, head]), [2, 0, 3, 1, 4]);
      const third = (place: number): Tensor3D =>
        tf.reshape(tf.slice(stacked, [place, 0, 0, 0, 0], [1, batch, heads, tokens, head]), [batch * heads, tokens, head]);
      // Scaling q costs n / h times less than scaling the scores, and gives the scaled q that dK needs.
      const q = tf.mul(third(0), scale) as Tensor3D;
      const k = third(1);
      const v = third(2);
      const probabilities = tf.softmax(biased(tf.matMul(q, k, false, true))) as Tensor3D;
      const out = joinHeads(tf.matMul(probabilities, v));
      save([q, k, v, probabilities, out]);
      return out;
    },
    (dOut, saved) => {
      const q = savedAt<Tensor3D>(saved, 0);
      const k = savedAt<Tensor3D>(saved, 1);
      const v = savedAt<Tensor3D>(saved, 2);
      const probabilities = savedAt<Tensor3D>(saved, 3);
      const out = savedAt<Tensor2D>(saved, 4);
      const dHeads = splitHeads(dOut);
      const rowSums = tf.sum(tf.reshape(tf.mul(dOut, out), [batch, tokens, heads, head]), 3);
      const delta = tf.reshape(tf.transpose(rowSums, [0, 2, 1]), [batch * heads, tokens, 1]);
      const dScores = tf.mul(probabilities, tf.sub(tf.matMul(dHeads, v, false, true), delta)) as Tensor3D;
      const dv = tf.matMul(probabilities, dHeads, true, false);
      const dq = tf.mul(tf.matMul(dScores, k), scale);
      const dk = tf.matMul(dScores, q, true, false);
      const stacked = tf.stack([dq, dk, dv].map((x: Tensor) => tf.reshape(x, [batch, heads, tokens, head])), 0);
      const dQkv = tf.reshape(tf.transpose(stacked, [1, 3, 0, 2, 4]), [batch * tokens, 3 * width]);
      if (bias_Ghnn === undefined) return [dQkv];
      const summed = batch === groups ? dScores : columnSums(grouped(dScores));
      return [dQkv, tf.reshape(summed, [groups, heads, tokens, tokens])];
    },
  );
}

/** The same in kernels of the backend, which make the probabilities again in the backward pass instead of keeping them. */
const fusedAttention = (qkv_M3D: Tensor2D, tokens: number, heads: number): Tensor2D =>
  withGradient(
    [qkv_M3D],
    (save) => {
      const out = runKernel('MimAttention', { qkv: qkv_M3D }, { tokens, heads }) as Tensor2D;
      save([qkv_M3D, out]);
      return out;
    },
    (dout, saved) => [runKernel('MimAttentionGrad', { dout, qkv: savedAt(saved, 0), out: savedAt(saved, 1) }, { tokens, heads }) as Tensor2D],
  );

/** @throws ConfigError if the heads do not divide the width. `key` is the setting to name. */
export function checkHeads(width: number, heads: number, key = 'heads'): void {
  if (width % heads === 0) return;
  throw new ConfigError(`a width of ${width} cannot be split into ${heads} heads`, { place: key, remedy: 'Choose a number of heads that divides the width.' });
}
