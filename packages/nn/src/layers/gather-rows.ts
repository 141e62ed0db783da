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

const withZeroRow = (x: Tensor2D): Tensor2D => tf.concat([x, tf.zeros([1, x.shape[1]])], 0) as Tensor2D;
