import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectValues, scattered } from '../../test-support/gradient-check.js';
import { hogOfImages } from './hog-of-images.js';
import { hogOfCells, orientationsOf } from './hog-of-pixels.js';

onEveryBackend('HOG of image tensors', () => {
  it.each([
    ['nine bins', 9, undefined],
    ['eighteen bins and an offset', 18, [0.2, -0.3]],
  ] as const)('is that of the pixels of each image, with %s', (_name, bins, bias) => {
    const [height, width, channels] = [6, 8, 3] as const;
    const images = scattered([2, height, width, channels]) as tf.Tensor4D;
    const cell = { height: 3, width: 2 };
    const found = hogOfImages(images, cell, bins, bias === undefined ? undefined : tf.tensor1d([...bias]));
    expect(found.shape).toEqual([2, 2, 4, 3 * bins]);
    const pixels = images.dataSync();
    const expected = [0, 1].flatMap((b) => [
      ...hogOfCells(orientationsOf(pixels.slice(b * 144, (b + 1) * 144), { height, width, channels }, bins, bias === undefined ? [0, 0] : bias), cell),
    ]);
    expectValues(found, expected);
  });

  it('is zero for flat images, though single precision rounds', () => {
    for (const level of [0.1, 1 / 3, -2.117904]) {
      const found = hogOfImages(tf.fill([1, 4, 4, 1], level), { height: 2, width: 2 }, 9);
      expect(found.dataSync().every((value) => value === 0)).toBe(true);
    }
  });

  it('points a flat image wherever its offset points', () => {
    const found = hogOfImages(tf.ones([1, 4, 4, 1]), { height: 4, width: 4 }, 4, tf.tensor1d([0.1, 0]));
    expectValues(found, [0, 0, 1, 0]);
  });

  it('takes ties on edges as the pixels do', () => {
    // A slope along x, exact in single precision: all gradients lie on the edge of bin 9.
    const images = tf.tensor4d(Float32Array.from({ length: 16 }, (_, i) => i % 4), [1, 4, 4, 1]);
    expectValues(hogOfImages(images, { height: 4, width: 4 }, 18), Array.from({ length: 18 }, (_, k) => (k === 9 ? 1 : 0)));
  });
});
