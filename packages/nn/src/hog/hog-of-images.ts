import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { PatchSize } from '../images/patchify.js';
import { checkReflectable, HOG_FLOOR, hogGrid } from './hog-of-pixels.js';
import { orientationEdges } from './orientation-bins.js';

/** Part `from` to `to` of an axis: 1 for rows, 2 for columns. */
function along(x: Tensor4D, axis: 1 | 2, from: number, to: number): Tensor4D {
  const begin: [number, number, number, number] = [0, 0, 0, 0];
  const size = [...x.shape] as [number, number, number, number];
  begin[axis] = from;
  size[axis] = to - from;
  return tf.slice(x, begin, size);
}

/** One more line on either side of an axis: the line behind the edge, the edge itself not repeated. */
function reflected(x: Tensor4D, axis: 1 | 2): Tensor4D {
  const side = x.shape[axis];
  return tf.concat([along(x, axis, 1, 2), x, along(x, axis, side - 2, side - 1)], axis) as Tensor4D;
}

/** Sums of three neighbours along an axis, weighted 1 2 1; two lines fewer. */
function smoothed(x: Tensor4D, axis: 1 | 2): Tensor4D {
  const side = x.shape[axis];
  const middle = along(x, axis, 1, side - 1);
  return tf.add(tf.add(along(x, axis, 0, side - 2), tf.mul(middle, 2)), along(x, axis, 2, side));
}

/** Each line but one minus the line after the next, along an axis. */
function differences(x: Tensor4D, axis: 1 | 2): Tensor4D {
  const side = x.shape[axis];
  return tf.sub(along(x, axis, 0, side - 2), along(x, axis, 2, side));
}

/**
 * As `orientationsOf` and `hogOfCells`, on the device in single precision: for features that raw pixels do not decide,
 * since an offset is added to the filter outputs of normalised images. Carries no gradient worth having.
 * Source: official LocalMIM, HOGLayer.
 * @param bias_2 offsets of the horizontal and the vertical filter
 * @returns [B, rows, columns, C * bins]
 */
export function hogOfImages(images_BHWC: Tensor4D, cell: PatchSize, bins: number, bias_2?: Tensor1D): Tensor4D {
  const [batch, height, width, channels] = images_BHWC.shape;
  const image = { height, width, channels };
  checkReflectable(image);
  const { rows, columns } = hogGrid(image, cell);
  const framed = reflected(reflected(images_BHWC, 1), 2);
  const offset = (place: number): tf.Tensor => (bias_2 === undefined ? tf.scalar(0) : tf.slice(bias_2, [place], [1]));
  const gx: Tensor4D = tf.add(differences(smoothed(framed, 1), 2), offset(0));
  const gy: Tensor4D = tf.add(differences(smoothed(framed, 2), 1), offset(1));
  const magnitude = tf.sqrt(tf.add<Tensor4D>(tf.square(gx), tf.square(gy)));

  const turned = tf.logicalOr<Tensor4D>(tf.less<Tensor4D>(gx, 0), tf.logicalAnd(tf.equal<Tensor4D>(gx, 0), tf.less(gy, 0)));
  const sign = tf.sub<Tensor4D>(1, tf.mul(tf.cast(turned, 'float32'), 2));
  const x = tf.mul<Tensor4D>(gx, sign);
  const y = tf.mul<Tensor4D>(gy, sign);
  const { cos, sin } = orientationEdges(bins);
  // 1 where the gradient has reached edge k; every gradient has reached edge 0, none the edge behind the last bin.
  const reached = Array.from({ length: bins + 1 }, (_, k): Tensor4D => {
    if (k === 0) return tf.onesLike(x);
    if (k === bins) return tf.zerosLike(x);
    return tf.cast(tf.greaterEqual<Tensor4D>(tf.sub(tf.mul(x, cos[k] as number), tf.mul(y, sin[k] as number)), 0), 'float32');
  });
  const size: [number, number] = [cell.height, cell.width];
  const histograms = Array.from({ length: bins }, (_, k) => {
    const inBin = tf.sub(reached[k] as Tensor4D, reached[k + 1] as Tensor4D);
    return tf.avgPool(tf.mul<Tensor4D>(magnitude, inBin), size, size, 'valid');
  });
  const stacked = tf.reshape(tf.stack(histograms, 4), [batch * rows * columns * channels, bins]) as Tensor2D;
  const norm = tf.sqrt(tf.sum(tf.square(stacked), 1, true));
  return tf.reshape(tf.div(stacked, tf.maximum(norm, HOG_FLOOR)), [batch, rows, columns, channels * bins]);
}
