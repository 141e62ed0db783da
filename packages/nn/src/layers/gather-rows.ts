import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { savedAt, withGradient } from './custom-gradient.js';

/**
 * The inverse of a row gather: for each row of the source its place among the gathered ones, or their number where it
 * was not gathered. Given as indices, or as a rule over other tensors that is only computed in a backward pass.
 */
export type InverseRows = Tensor1D | { readonly from: readonly Tensor[]; readonly compute: (from: readonly Tensor[]) => Tensor1D };

/**
 * Takes rows of a matrix; no row more than once. The gradient is a gather by the inverse, with one zero row appended
 * for rows that were left out: tfjs' own gradient needs a segment sum, slow and missing on wasm.
 * @param x_RD [R, D]  @param rows int32 [M]  @param inverse int32 [R], values 0..M
 * @returns [M, D]
 */
export function gatherRows(x_RD: Tensor2D, rows: Tensor1D, inverse: InverseRows): Tensor2D {
  return withGradient(
    [x_RD],
    (save) => {
      save('compute' in inverse ? [...inverse.from] : [inverse]);
      return tf.gather(x_RD, rows);
    },
    (dy, saved) => {
      const back = 'compute' in inverse ? inverse.compute(saved) : savedAt<Tensor1D>(saved, 0);
      return [tf.gather(withZeroRow(dy), back)];
    },
  );
}

/**
 * Puts known rows back on the grid; cells without one get the `fill` row, zeros unless given.
 * @param known_MD [M, D], M = B*S
 * @param gridRows int32 [B*N]: row of the known token, or M where there is none  @param knownRows int32 [M], its inverse
 * @param fill_1D [1, D]
 * @returns [B*N, D]
 */
export function restoreRows(known_MD: Tensor2D, gridRows: Tensor1D, knownRows: Tensor1D, fill_1D?: Tensor2D): Tensor2D {
  if (fill_1D === undefined) {
    return withGradient(
      [known_MD],
      (save) => {
        save([knownRows]);
        return tf.gather(withZeroRow(known_MD), gridRows);
      },
      (dy, saved) => [tf.gather(dy, savedAt<Tensor1D>(saved, 0))],
    );
  }
  const rows = known_MD.shape[0];
  return withGradient(
    [known_MD, fill_1D],
    (save) => {
      save([knownRows, gridRows]);
      return tf.gather(tf.concat([known_MD, fill_1D], 0), gridRows);
    },
    (dy, saved) => {
      const filled = tf.cast(tf.equal(savedAt(saved, 1), tf.scalar(rows, 'int32')), 'float32');
      const dFill = tf.sum(tf.mul(dy, tf.reshape(filled, [-1, 1])), 0, true);
      return [tf.gather(dy, savedAt<Tensor1D>(saved, 0)), dFill];
    },
  );
}

/**
 * Looks rows up in a table that all images share, so a row may be taken many times. Its gradient, needed only where
 * positions are trained, is a product with the one-hot matrix of the ids.
 * @param table_ND [N, D]  @param ids int32 [M]
 */
export function lookupRows(table_ND: Tensor2D, ids: Tensor1D): Tensor2D {
  const size = table_ND.shape[0];
  return withGradient(
    [table_ND],
    (save) => {
      save([ids]);
      return tf.gather(table_ND, ids);
    },
    (dy, saved) => [tf.matMul(tf.cast(tf.oneHot(savedAt<Tensor1D>(saved, 0), size), 'float32') as Tensor2D, dy, true, false)],
  );
}

/**
 * Takes a few rows of the tokens of each image, no row twice, where nobody has an inverse at hand; row id B*n stands for a
 * token that is not there and gives zeros. The inverse is found by comparing ids, image by image.
 * @param x_MD [B*n, D]  @param rows_BK int32, row b*n + place for image b, or B*n
 * @returns [B*K, D]
 */
export function pickRows(x_MD: Tensor2D, rows_BK: Tensor2D): Tensor2D {
  const [batch, picks] = rows_BK.shape;
  const rows = x_MD.shape[0];
  return withGradient(
    [x_MD],
    (save) => {
      save([rows_BK]);
      return tf.gather(withZeroRow(x_MD), tf.reshape(rows_BK, [-1]));
    },
    (dy, saved) => {
      const ids = tf.tensor3d(Int32Array.from({ length: rows }, (_, row) => row), [batch, 1, rows / batch], 'int32');
      const hits_BKn = tf.cast(tf.equal(tf.reshape(savedAt(saved, 0), [batch, picks, 1]), ids), 'float32');
      // Which pick took a token, counted from 1 over the whole batch; 0 where none did.
      const numbers = tf.tensor3d(Float32Array.from({ length: batch * picks }, (_, pick) => pick + 1), [batch, picks, 1]);
      const taken = tf.reshape(tf.cast(tf.sum(tf.mul(hits_BKn, numbers), 1), 'int32'), [-1]);
      const none = tf.equal(taken, tf.scalar(0, 'int32'));
      const inverse = tf.where(none, tf.fill([rows], batch * picks, 'int32'), tf.sub(taken, tf.scalar(1, 'int32')));
      return [tf.gather(withZeroRow(dy), inverse)];
    },
  );
}

const withZeroRow = (x: Tensor2D): Tensor2D => tf.concat([x, tf.zeros([1, x.shape[1]])], 0) as Tensor2D;
