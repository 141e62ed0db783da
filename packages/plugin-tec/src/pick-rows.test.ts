import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { pickRows } from './pick-rows.js';

const numbers = (x: tf.Tensor): number[] => [...x.dataSync()];
// Two images of three tokens each.
const x = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [6, 2]);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('picking rows of each image', () => {
  it('takes them in the order asked, and zeros for a token that is not there', () => {
    expect(numbers(pickRows(x, tf.tensor2d([2, 0, 6, 4], [2, 2], 'int32')))).toEqual([5, 6, 1, 2, 0, 0, 9, 10]);
  });

  it('sends each gradient back to the row it came from', () => {
    const rows = tf.tensor2d([2, 0, 6, 4], [2, 2], 'int32');
    const weights = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]);
    const gradient = tf.grad((input: tf.Tensor) => tf.sum(tf.mul(pickRows(input as tf.Tensor2D, rows), weights)))(x);
    expect(numbers(gradient)).toEqual([3, 4, 0, 0, 1, 2, 0, 0, 7, 8, 0, 0]);
  });

  it('is a gather with the gradient of a gather, whatever is picked', () => {
    const image = (first: number) => fc.shuffledSubarray([0, 1, 2, 3].map((place) => first + place), { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(fc.tuple(image(0), image(4)), (picks) => {
        tf.tidy(() => {
          const rows = tf.tensor2d(picks, [2, 2], 'int32');
          const values = tf.tensor2d(Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)), [8, 3]);
          const weights = tf.tensor2d(Float32Array.from({ length: 12 }, (_, i) => i + 1), [4, 3]);
          const through = (pick: (x: tf.Tensor2D) => tf.Tensor) => {
            const { value, grad } = tf.valueAndGrad((input: tf.Tensor) => tf.sum(tf.mul(pick(input as tf.Tensor2D), weights)))(values);
            return [...numbers(value), ...numbers(grad)];
          };
          expect(through((input) => pickRows(input, rows))).toEqual(through((input) => tf.gather(input, tf.reshape(rows, [-1]))));
        });
      }),
      { numRuns: 20 },
    );
  });
});
