import * as tf from '@tensorflow/tfjs';
import { ConfigError } from '@mimlab/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectValues } from '../../test-support/gradient-check.js';
import { patchGrid, patchify, unpatchify } from './patchify.js';

onEveryBackend('patchify', () => {
  it('lists patches row by row, and in a patch pixel rows, pixel columns, channels', () => {
    // Value = 100 * row + 10 * column + channel.
    const image = tf.tensor4d([[[[0, 1], [10, 11], [20, 21], [30, 31]], [[100, 101], [110, 111], [120, 121], [130, 131]]]]);
    const patches = patchify(image, { height: 2, width: 2 });
    expect(patches.shape).toEqual([2, 8]);
    expectValues(patches, [0, 1, 10, 11, 100, 101, 110, 111, 20, 21, 30, 31, 120, 121, 130, 131]);
  });

  it('is undone by unpatchify, for any grid, patch and number of channels', () => {
    const small = fc.integer({ min: 1, max: 3 });
    fc.assert(
      fc.property(fc.tuple(small, small, small, small, small, small), ([batch, rows, columns, height, width, channels]) => {
        const shape: [number, number, number, number] = [batch, rows * height, columns * width, channels];
        const size = shape.reduce((a, b) => a * b, 1);
        const images = tf.tensor4d([...Array(size).keys()], shape);
        const patches = patchify(images, { height, width });
        expect(patches.shape).toEqual([batch * rows * columns, height * width * channels]);
        expectValues(unpatchify(patches, { rows, columns }, { height, width }, channels), images.dataSync());
      }),
      { numRuns: 25 },
    );
  });

  it('unpatchify takes one batch axis more as well', () => {
    const patches = tf.tensor3d([[[1, 2], [3, 4]]]);
    expect(unpatchify(patches, { rows: 1, columns: 2 }, { height: 1, width: 2 }, 1).shape).toEqual([1, 1, 4, 1]);
  });

  it.each([
    ['height', { height: 9, width: 8, channels: 3 }],
    ['width', { height: 8, width: 9, channels: 3 }],
  ])('refuses a %s that the patch does not divide, and says so', (name, image) => {
    expect(() => patchGrid(image, { height: 4, width: 4 })).toThrow(ConfigError);
    expect(() => patchGrid(image, { height: 4, width: 4 })).toThrow(new RegExp(`patchSize: an image of ${name} 9 cannot be cut into patches of ${name} 4`));
  });
});
