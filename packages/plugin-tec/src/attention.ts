import { cellsOf, part, type PlanTensors, type Prediction } from '@mimlab/core';
import { atCells, attentionScores, pickRows } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { CLASS_QUERY, QUERIES_KEYS } from './decoder.js';

/** Names of the attention target's tensors. */
export const TOP_K = 'topK';
export const LOGITS = 'logits';

/** Row ids b * N + cell of cells [B, K]. */
function gridRowsOf(cells_BK: Tensor2D, cells: number): Tensor2D {
  const [batch] = cells_BK.shape;
  const firstRows = tf.tensor2d(Int32Array.from({ length: batch }, (_, b) => b * cells), [batch, 1], 'int32');
  return tf.add(cells_BK, firstRows);
}

/**
 * What the teacher attends to: the patches that its class token attends to most (mean over heads of the scaled scores
 * before the softmax), and the scores of class token and these patches with every patch.
 * @param queries, keys of the teacher's last block, class token first, [B, 1 + N, Ct]
 * @returns `topK` int32 [B, K], most attended first; `logits` [B, N, (1 + K) * heads], keys first so that they can be
 * gathered like any target: row 0 is the class token's, then the patches in the order of `topK`, heads side by side.
 */
export function attentionTargets(queries: Tensor3D, keys: Tensor3D, heads: number, topK: number): Record<string, Tensor> {
  const [batch, tokens, width] = keys.shape;
  const cells = tokens - 1;
  const scale = 1 / Math.sqrt(width / heads);
  const patches = (x: Tensor3D): Tensor3D => tf.slice(x, [0, 1, 0], [batch, cells, width]);
  const keys_BNC = patches(keys);
  const classRows = tf.mul(attentionScores(tf.slice(queries, [0, 0, 0], [batch, 1, width]), keys_BNC, heads), scale);
  const ranking_BN = tf.mean(tf.reshape(classRows, [batch, heads, cells]), 1);
  const { indices } = tf.topk(ranking_BN, topK, true);
  const rows = tf.reshape(gridRowsOf(indices as Tensor2D, cells), [-1]) as Tensor1D;
  const chosen = tf.reshape(tf.gather(tf.reshape(patches(queries), [batch * cells, width]), rows), [batch, topK, width]) as Tensor3D;
  const chosenRows = tf.mul(attentionScores(chosen, keys_BNC, heads), scale);
  const logits_BHQN = tf.reshape(tf.concat([classRows, chosenRows], 1), [batch, heads, 1 + topK, cells]);
  return { [TOP_K]: indices, [LOGITS]: tf.reshape(tf.transpose(logits_BHQN, [0, 3, 2, 1]), [batch, cells, (1 + topK) * heads]) };
}

/**
 * The student's scores for the rows that the teacher's top-k name: [B * heads, 1 + K, n], keys in the order of the
 * prediction's cells. Scaled by Ct^-0.5, the full width (specification, P9). Rows of thrown patches are zero.
 */
export function studentLogits({ values, cells }: Prediction, topK_BK: Tensor2D, plan: PlanTensors, heads: number): Tensor3D {
  const queriesKeys = values[QUERIES_KEYS] as Tensor3D;
  const [batch, tokens, both] = queriesKeys.shape;
  const width = both / 2;
  const half = (x: Tensor3D, place: number): Tensor3D => tf.slice(x, [0, 0, place * width], [batch, x.shape[1], width]);
  const queries = pickRows(tf.reshape(half(queriesKeys, 0), [batch * tokens, width]), predictedRows(topK_BK, cells, plan));
  const classQuery = half(values[CLASS_QUERY] as Tensor3D, 0);
  const all = tf.concat([classQuery, tf.reshape(queries, [batch, -1, width]) as Tensor3D], 1);
  return part('head', () => tf.mul(attentionScores(all, half(queriesKeys, 1), heads), width ** -0.5));
}

/** Rows of the prediction that stand for cells [B, K]; where a cell was thrown, the number of rows. */
function predictedRows(cells_BK: Tensor2D, cells: Prediction['cells'], plan: PlanTensors): Tensor2D {
  const rows = gridRowsOf(cells_BK, cellsOf(plan.grid));
  return cells === 'grid' ? rows : (tf.reshape(tf.gather(plan.gridRows, tf.reshape(rows, [-1])), cells_BK.shape) as Tensor2D);
}

/**
 * Cross-entropy between the teacher's attention at a temperature and the student's, mean over images, heads and rows.
 * With every token at hand all rows and columns count, visible ones included. Where thrown tokens are missing, their
 * columns are left out of both softmaxes and their rows out of the mean; the class token's row always stays.
 */
export function attentionLoss(
  prediction: Prediction,
  target: Readonly<Record<string, Tensor>>,
  plan: PlanTensors,
  { heads, temperature }: { readonly heads: number; readonly temperature: number },
): Scalar {
  const topK_BK = target[TOP_K] as Tensor2D;
  const [batch, topK] = topK_BK.shape;
  const logits = studentLogits(prediction, topK_BK, plan, heads);
  const tokens = logits.shape[2];
  const wanted = tf.reshape(atCells(target[LOGITS] as Tensor, plan, prediction.cells), [batch, tokens, 1 + topK, heads]);
  const wanted_HQn = tf.reshape(tf.transpose(wanted, [0, 3, 2, 1]), logits.shape);
  const shares = tf.softmax(tf.div(wanted_HQn, temperature));
  const entropy_BHQ = tf.reshape(tf.neg(tf.sum(tf.mul(shares, tf.logSoftmax(logits)), 2)), [batch, heads, 1 + topK]);
  if (prediction.cells === 'grid' || plan.counts.thrown === 0) return tf.mean(entropy_BHQ) as Scalar;
  const missing = tf.scalar(batch * tokens, 'int32');
  const present_BK = tf.cast(tf.notEqual(predictedRows(topK_BK, prediction.cells, plan), missing), 'float32') as Tensor2D;
  const weights_BQ = tf.concat([tf.ones([batch, 1]), present_BK], 1);
  return tf.div(tf.sum(tf.mul(tf.mean(entropy_BHQ, 1), weights_BQ)), tf.sum(weights_BQ)) as Scalar;
}
