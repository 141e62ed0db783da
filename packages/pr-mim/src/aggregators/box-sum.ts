import { withGradient } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';

/**
 * Sum over the kernel x kernel window around each cell, zeros outside the grid. By shifted additions, one direction
 * after the other: pooling kernels divide by the cells inside the grid, and their gradients are missing on some backends.
 * The sum over a symmetric window is its own adjoint.
 */
export function boxSum(x_BHWC: Tensor4D, kernel: number): Tensor4D {
  return withGradient<Tensor4D>(
    [x_BHWC],
    () => summed(x_BHWC, kernel),
    (dy) => [summed(dy, kernel)],
  );
}

const summed = (x: Tensor4D, kernel: number): Tensor4D => summedAlong(summedAlong(x, kernel, 1), kernel, 2);

function summedAlong(x: Tensor4D, kernel: number, axis: 1 | 2): Tensor4D {
  const half = (kernel - 1) / 2;
  const margins: [number, number][] = [0, 1, 2, 3].map((a) => (a === axis ? [half, half] : [0, 0]));
  const padded = tf.pad(x, margins);
  let sum: Tensor4D | undefined;
  for (let shift = 0; shift < kernel; shift++) {
    const shifted = tf.slice(padded, axis === 1 ? [0, shift, 0, 0] : [0, 0, shift, 0], x.shape);
    sum = sum === undefined ? shifted : tf.add<Tensor4D>(sum, shifted);
  }
  return sum as Tensor4D;
}
