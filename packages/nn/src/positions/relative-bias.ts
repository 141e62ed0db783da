import { cellsOf, type Grid, type PlanTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { columnSums } from '../layers/column-sums.js';
import { savedAt, withGradient } from '../layers/custom-gradient.js';
import { relativeIndex } from './relative-index.js';

/**
 * Bias of every pair of tokens of a grid, looked up in a table of relative positions. The gradient sums along the
 * diagonals of the grid by shifting rows, instead of the segment sum (or a one-hot product of n * n rows) that the
 * lookup's own gradient would be.
 * @param table_Rh see `relativeTableRows`; h heads
 * @param cls a class token stands before the cells
 * @returns [n * n, h], query by query
 */
export function relativePairs(table_Rh: Tensor2D, grid: Grid, cls: boolean): Tensor2D {
  const heads = table_Rh.shape[1];
  return withGradient(
    [table_Rh],
    () => tf.gather(table_Rh, tf.tensor1d(relativeIndex(grid, cls), 'int32')),
    (dy) => {
      if (!cls) return [offsetSums(dy, grid)];
      const tokens = 1 + cellsOf(grid);
      const cells = tokens - 1;
      const pairs: Tensor3D = tf.reshape(dy, [tokens, tokens, heads]);
      const patches = tf.reshape(tf.slice(pairs, [1, 1, 0], [cells, cells, heads]), [cells * cells, heads]) as Tensor2D;
      const strip = (begin: [number, number, number], size: [number, number, number]): Tensor2D =>
        tf.reshape(columnSums(tf.reshape(tf.slice(pairs, begin, size), [-1, heads])), [1, heads]);
      const classRows = [strip([0, 1, 0], [1, cells, heads]), strip([1, 0, 0], [cells, 1, heads]), strip([0, 0, 0], [1, 1, heads])];
      return [tf.concat([offsetSums(patches, grid), ...classRows], 0)];
    },
  );
}

/** Sums over all pairs of cells with the same offset. @param pairs [N * N, h]  @returns [(2 rows - 1)(2 columns - 1), h] */
function offsetSums(pairs: Tensor2D, { rows, columns }: Grid): Tensor2D {
  const heads = pairs.shape[1];
  // Rows of query and key last, those of columns and heads in front; then the other way round.
  const byRow = tf.transpose(tf.reshape(pairs, [rows, columns, rows, columns * heads]), [1, 3, 0, 2]);
  const rowSums = tf.reshape(diagonalSums(tf.reshape(byRow, [-1, rows, rows])), [columns, columns, heads, 2 * rows - 1]);
  const byColumn = tf.transpose(rowSums, [2, 3, 0, 1]);
  const sums = tf.reshape(diagonalSums(tf.reshape(byColumn, [-1, columns, columns])), [heads, -1]) as Tensor2D;
  return tf.transpose(sums);
}

/**
 * Sums of square matrices over i - j = d, for d from 1 - g to g - 1. Columns are reversed, so i - j becomes i + j; each
 * row is then padded such that reading it with one column less shifts row i by i places.
 * @param matrices [X, g, g]  @returns [X, 2g - 1]
 */
function diagonalSums(matrices: Tensor3D): Tensor2D {
  const [count, side] = matrices.shape;
  const padded = tf.pad(tf.reverse(matrices, 2), [[0, 0], [0, 0], [0, side]]);
  const flat = tf.slice(tf.reshape(padded, [count, 2 * side * side]) as Tensor2D, [0, 0], [count, side * (2 * side - 1)]);
  return tf.sum(tf.reshape(flat, [count, side, 2 * side - 1]), 1);
}

/** Pairs of G groups of n tokens, [G * n * n, h], as what `attention` adds to its scores, [G, h, n, n]. */
export function pairsByHead(pairs: Tensor2D, groups: number, tokens: number): Tensor4D {
  const heads = pairs.shape[1];
  return tf.transpose(tf.reshape(pairs, [groups, tokens, tokens, heads]), [0, 3, 1, 2]);
}

/**
 * The pairs that a batch of plans needs, out of those of the whole grid: rows and columns of class token and known tokens
 * in known order, image by image. The gradient puts them back by the plans' inverse order and sums over the images.
 * @param pairs [(1 + N)^2, h], class token first
 * @returns [B * n * n, h], n = 1 + V + K
 */
export function knownPairs(pairs: Tensor2D, plan: PlanTensors): Tensor2D {
  const { batch, grid, counts } = plan;
  const heads = pairs.shape[1];
  const cells = cellsOf(grid);
  const known = counts.visible + counts.retained;
  const tokens = 1 + known;
  const rowsOf = (stride: number): Tensor2D => tf.tensor2d(Int32Array.from({ length: batch }, (_, b) => b * stride), [batch, 1], 'int32');
  /** A class token in front of one number a token, [B, m] to [B, 1 + m]. */
  const withClass = (numbers_Bm: Tensor): Tensor2D => tf.concat([tf.zeros([batch, 1], 'int32'), tf.add(numbers_Bm, tf.scalar(1, 'int32'))], 1) as Tensor2D;
  const paired = (places: Tensor2D, stride: number): Tensor3D =>
    tf.add(tf.mul(tf.expandDims(places, 2), tf.scalar(stride, 'int32')), tf.expandDims(places, 1));

  return withGradient(
    [pairs],
    (save) => {
      save([plan.gridRows]);
      const ids_Bn = withClass(tf.sub(tf.reshape(plan.knownRows, [batch, known]), rowsOf(cells)));
      return tf.gather(pairs, tf.reshape(paired(ids_Bn, 1 + cells), [-1]) as Tensor1D);
    },
    (dy, saved) => {
      const gridRows = tf.reshape(savedAt<Tensor1D>(saved, 0), [batch, cells]);
      const isThrown = tf.equal(gridRows, tf.scalar(batch * known, 'int32'));
      // The place among class token and known tokens; `tokens`, one too many, where the token was thrown.
      const places = withClass(tf.where(isThrown, tf.fill([batch, cells], known, 'int32'), tf.sub(gridRows, rowsOf(known))));
      const missing = tf.equal(tf.maximum(tf.expandDims(places, 2), tf.expandDims(places, 1)), tf.scalar(tokens, 'int32'));
      const rows = tf.add(paired(places, tokens), tf.expandDims(rowsOf(tokens * tokens), 2));
      const inverse = tf.where(missing, tf.fill(rows.shape, batch * tokens * tokens, 'int32'), rows);
      const padded = tf.concat([dy, tf.zeros([1, heads])], 0);
      const perImage = tf.reshape(tf.gather(padded, tf.reshape(inverse, [-1]) as Tensor1D), [batch, -1]) as Tensor2D;
      return [tf.reshape(columnSums(perImage), pairs.shape)];
    },
  );
}
