import { savedAt, withGradient } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';

/**
 * Takes rows of the tokens of each image, no row twice; row id B*n stands for a token that is not there and gives
 * zeros. The gradient is a gather by the inverse, which is found by comparing ids, image by image: there are few picks.
 * @param x_MD [B*n, D]  @param rows_BK int32, row b*n + place for image b, or B*n
 * @returns [B*K, D]
 */
export function pickRows(x_MD: Tensor2D, rows_BK: Tensor2D): Tensor2D {
  const [batch, picks] = rows_BK.shape;
  const [rows, width] = x_MD.shape;
  const tokens = rows / batch;
  return withGradient(
    [x_MD],
    (save) => {
      save([rows_BK]);
      return tf.gather(withZeroRow(x_MD, width), tf.reshape(rows_BK, [-1]));
    },
    (dy, saved) => {
      const ids = tf.tensor3d(Int32Array.from({ length: rows }, (_, row) => row), [batch, 1, tokens], 'int32');
      const hits_BKn = tf.cast(tf.equal(tf.reshape(savedAt(saved, 0), [batch, picks, 1]), ids), 'float32');
      // Which pick took a token, counted from 1 over the whole batch; 0 where none did.
      const numbers = tf.tensor3d(Float32Array.from({ length: batch * picks }, (_, pick) => pick + 1), [batch, picks, 1]);
      const taken = tf.reshape(tf.cast(tf.sum(tf.mul(hits_BKn, numbers), 1), 'int32'), [-1]);
      const none = tf.equal(taken, tf.scalar(0, 'int32'));
      const inverse = tf.where(none, tf.fill([rows], batch * picks, 'int32'), tf.sub(taken, tf.scalar(1, 'int32')));
      return [tf.gather(withZeroRow(dy, width), inverse)];
    },
  );
}

const withZeroRow = (x: Tensor2D, width: number): Tensor2D => tf.concat([x, tf.zeros([1, width])], 0) as Tensor2D;
