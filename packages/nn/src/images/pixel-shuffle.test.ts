import * as tf from '@tensorflow/tfjs';
import { it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { patchify } from './patchify.js';
import { coloursLast, pixelShuffle } from './pixel-shuffle.js';

onEveryBackend('pixel shuffle', () => {
  it('reads a cell colour by colour, rows before columns', () => {
    // One cell of 2 x 2 pixels in two colours.
    expectValues(pixelShuffle(tf.tensor2d([[1, 2, 3, 4, 10, 20, 30, 40]]), { rows: 1, columns: 1 }, 2, 2), [1, 10, 2, 20, 3, 30, 4, 40]);
  });

  it('puts cells side by side, image by image', () => {
    const cells = tf.tensor2d([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]]);
    expectValues(pixelShuffle(cells, { rows: 1, columns: 2 }, 2, 1), [1, 2, 5, 6, 3, 4, 7, 8, 9, 10, 13, 14, 11, 12, 15, 16]);
  });

  it('makes the patches that reordering single cells makes', () => {
    const cells = scattered([2 * 6, 12]) as tf.Tensor2D;
    const patches = patchify(pixelShuffle(cells, { rows: 3, columns: 2 }, 2, 3), { height: 2, width: 2 });
    expectValues(coloursLast(cells, 3), patches.dataSync());
  });

  it('has its gradients', () => {
    expectGradients((cells) => pixelShuffle(cells as tf.Tensor2D, { rows: 1, columns: 2 }, 2, 2), [scattered([2, 8])]);
    expectGradients((cells) => coloursLast(cells as tf.Tensor2D, 2), [scattered([2, 8])]);
  });
});
