import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { paramsOf } from '../../test-support/objective.js';
import { swinBlockParams } from './block.js';
import { permuteTokens, windowAttention, windowBias } from './window-attention.js';
import { windowsOf } from './windows.js';

const size = { width: 4, heads: 2, mlpRatio: 2, window: 2 };

onEveryBackend('window attention', () => {
  it('permutes the tokens of every image alike', () => {
    const x = tf.tensor3d([[[1], [2], [3]], [[4], [5], [6]]]);
    expectValues(permuteTokens(x, Int32Array.of(2, 0, 1), Int32Array.of(1, 2, 0)), [3, 1, 2, 6, 4, 5]);
    expectGradients((y) => permuteTokens(y as tf.Tensor3D, Int32Array.of(2, 0, 1), Int32Array.of(1, 2, 0)), [x]);
  });

  it('biases by relative position in all windows, and masks shifted ones besides', () => {
    const table = scattered([9, 2]) as tf.Tensor2D;
    const plain = windowBias(table, windowsOf({ rows: 4, columns: 4 }, 2, 0));
    expect(plain.shape).toEqual([1, 2, 4, 4]);
    const shifted = windowBias(table, windowsOf({ rows: 4, columns: 4 }, 2, 1));
    expect(shifted.shape).toEqual([4, 2, 4, 4]);
    // The first window holds no strangers.
    expectValues(tf.slice(shifted, [0, 0, 0, 0], [1, 2, 4, 4]), plain.dataSync());
    expect(shifted.min().dataSync()[0]).toBeLessThan(-98);
  });

  it('looks at no token of another window or image', () => {
    const params = paramsOf(swinBlockParams('b', size));
    for (const shift of [0, 1]) {
      const windows = windowsOf({ rows: 4, columns: 4 }, 2, shift);
      const attend = (x: tf.Tensor2D): tf.Tensor2D => windowAttention(x, params, 'b.attn', { batch: 2, heads: 2, windows });
      const x = scattered([32, 4]) as tf.Tensor2D;
      const values = x.dataSync().slice();
      values[5 * 4] = 10;
      const changed = tf.tensor2d(values, [32, 4]);
      const moved = tf.max(tf.abs(tf.sub(attend(changed), attend(x))), 1).dataSync();
      const place = windows.inverse[5] as number;
      const neighbours = [...windows.order.subarray(place - (place % 4), place - (place % 4) + 4)];
      expect([...moved.keys()].filter((row) => (moved[row] as number) > 1e-5).sort((a, b) => a - b)).toEqual(neighbours.sort((a, b) => a - b));
    }
  });

  it('has the gradients of tokens and table', () => {
    const params = paramsOf(swinBlockParams('b', size));
    const windows = windowsOf({ rows: 4, columns: 2 }, 2, 1);
    const name = 'b.attn.relative_position_bias_table';
    expectGradients(
      (x, table) => windowAttention(x as tf.Tensor2D, { ...params, [name]: table! }, 'b.attn', { batch: 1, heads: 2, windows }),
      [scattered([8, 4]), params[name]!],
    );
  });
});
