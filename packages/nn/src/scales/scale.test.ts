import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { byToken, cellOf, cellPixels, misfit } from './scale.js';

const image = { height: 32, width: 16, channels: 3 };
const grid = { rows: 4, columns: 2 };

it('predictions stand for the pixels of a token, divided by the scale', () => {
  expect(([4, 2, 1, 0.5] as const).map((scale) => cellOf(image, grid, scale))).toEqual([
    { height: 2, width: 2 },
    { height: 4, width: 4 },
    { height: 8, width: 8 },
    { height: 16, width: 16 },
  ]);
});

it('scales do not fit where a token cannot be divided or paired', () => {
  expect(misfit(image, grid, 4)).toBeUndefined();
  expect(misfit({ ...image, width: 12 }, grid, 4)).toBe('scale 4 divides each side of a token by 4, a token has 8 x 6 pixels');
  expect(misfit(image, { rows: 4, columns: 1 }, 0.5)).toBe('scale 0.5 joins 2 x 2 tokens, the grid has 4 x 1');
});

it('squares of cells are collected for each token', () => {
  // 2 x 4 cells of one value, tokens of 2 x 2.
  expect([...byToken(Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7]), 2, 2, 1)]).toEqual([0, 1, 4, 5, 2, 3, 6, 7]);
});

onEveryBackend('the pixels of each prediction', () => {
  const pixels = () => tf.tensor4d(Float32Array.from({ length: 32 }, (_, i) => i), [1, 4, 8, 1]);

  it('come token by token, inside a token in raster order', () => {
    const cells = cellPixels(pixels(), { height: 1, width: 2 }, 2);
    expect(cells.shape).toEqual([16, 2]);
    // Token 1 has columns 4 to 7 of rows 0 and 1.
    expect([...tf.slice(cells, [4, 0], [4, 2]).dataSync()]).toEqual([4, 5, 6, 7, 12, 13, 14, 15]);
  });

  it('come patch by patch where a prediction is no finer than a token', () => {
    expect([...tf.slice(cellPixels(pixels(), { height: 2, width: 4 }, 1), [1, 0], [1, 8]).dataSync()]).toEqual([4, 5, 6, 7, 12, 13, 14, 15]);
    expect(cellPixels(pixels(), { height: 4, width: 8 }, 0.5).shape).toEqual([1, 32]);
  });
});
