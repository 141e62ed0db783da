import * as tf from '@tensorflow/tfjs';
import { ConfigError } from '@mimlab/core';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectValues, scattered } from '../../test-support/gradient-check.js';
import { planOf, tensorsOf } from '../../test-support/plans.js';
import { normalizePatches, PATCHES, PIXELS, pixelTarget, standardized } from './pixel-target.js';

const image = { height: 4, width: 4, channels: 1 };
const patch = { height: 2, width: 2 };
const grid = { rows: 2, columns: 2 };

onEveryBackend('pixel targets', () => {
  it('standardise a patch by its unbiased variance', () => {
    // Mean 3, squared deviations 4 + 0 + 4, divided by 2.
    expectValues(normalizePatches(tf.tensor2d([[1, 3, 5]])), [-1, 0, 1]);
  });

  it('make a flat patch zero, and amplify a nearly flat one a thousandfold at most', () => {
    expectValues(normalizePatches(tf.tensor2d([[5, 5, 5]])), [0, 0, 0]);
    expectValues(normalizePatches(tf.tensor2d([[0, 1e-5]])), [-5e-6, 5e-6].map((x) => x / Math.sqrt(5e-11 + 1e-6)), 6);
  });

  it('standardise every column alone where values have one more axis', () => {
    // Column 0 has mean 3 and variance 8, column 1 is flat.
    expectValues(standardized(tf.tensor3d([1, 5, 5, 5], [1, 2, 2])), [-Math.SQRT1_2, 0, Math.SQRT1_2, 0]);
  });

  it('are the patches of the whole grid in raster order', () => {
    const images = scattered([2, 4, 4, 1]) as tf.Tensor4D;
    const plan = tensorsOf([planOf(grid, [3, 2, 1, 0], 1, 3), planOf(grid, [0, 1, 2, 3], 1, 3)]);
    const { [PIXELS]: raw } = pixelTarget({ image, patch, normPix: false }).targets(images, plan, {}, {});
    expect(raw?.[PATCHES]?.shape).toEqual([2, 4, 4]);
    const values = images.dataSync();
    expectValues(tf.slice(raw![PATCHES]!, [1, 1, 0], [1, 1, 4]), [18, 19, 22, 23].map((i) => values[i] as number));
  });

  it('are compared by squared error at the cells that were predicted', () => {
    const target = pixelTarget({ image, patch, normPix: false });
    const plan = tensorsOf([planOf(grid, [3, 1, 0, 2], 2, 2)]);
    const targets = { [PIXELS]: { [PATCHES]: tf.tensor3d([[[1, 1, 1, 1], [2, 2, 2, 2], [3, 3, 3, 3], [4, 4, 4, 4]]]) } };
    const predicted = tf.tensor3d([[[0, 0, 0, 0], [3, 3, 3, 5]]]);
    const { loss } = target.loss({ [PIXELS]: { values: { [PATCHES]: predicted }, cells: 'retained' } }, targets, plan, tf.tensor2d([[1, 0, 1, 0]]));
    // Cell 0: error 1; cell 2: 4 / 4.
    expectValues(loss, [(1 + 1) / 2]);
  });

  it('are compared by absolute error over all masked pixels where asked to', () => {
    const target = pixelTarget({ image, patch, normPix: false, loss: 'l1' });
    expect(target.spec(grid)).toEqual({ pixels: { values: 4, scale: 1, loss: 'l1' } });
    const plan = tensorsOf([planOf(grid, [3, 1, 0, 2], 2, 2)]);
    const targets = { [PIXELS]: { [PATCHES]: tf.tensor3d([[[1, 1, 1, 1], [2, 2, 2, 2], [3, 3, 3, 3], [4, 4, 4, 4]]]) } };
    const predicted = tf.tensor3d([[[0, 0, 0, 0], [3, 3, 3, 5]]]);
    const lossOf = (values: tf.Tensor): tf.Scalar => target.loss({ [PIXELS]: { values: { [PATCHES]: values }, cells: 'retained' } }, targets, plan, tf.tensor2d([[1, 0, 1, 0]])).loss;
    // Eight masked pixels: four are 1 off, one is 2 off.
    expectValues(lossOf(predicted), [6 / 8]);
    // A right pixel pulls nowhere.
    expectValues(tf.grad(lossOf)(predicted), [-1, -1, -1, -1, 0, 0, 0, 1].map((sign) => sign / 8));
  });

  it('tell the decoder how many values a token has', () => {
    expect(pixelTarget({ image: { height: 8, width: 6, channels: 3 }, patch: { height: 4, width: 2 }, normPix: true }).spec({ rows: 2, columns: 3 })).toEqual({
      pixels: { values: 24, scale: 1, loss: 'mse' },
    });
  });

  it('refuse the grid of an encoder with other patches', () => {
    expect(() => pixelTarget({ image, patch, normPix: true }).spec({ rows: 4, columns: 4 })).toThrow(ConfigError);
  });

  it('refuse to normalise patches of one value', () => {
    expect(() => pixelTarget({ image, patch: { height: 1, width: 1 }, normPix: true })).toThrow(/no variance/);
  });
});
