import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectValues, scattered } from '../../test-support/gradient-check.js';
import { paramsOf } from '../../test-support/objective.js';
import { planOf, tensorsOf } from '../../test-support/plans.js';
import { cellHead, scaledHead } from './prediction-head.js';

const grid = { rows: 2, columns: 4 };
const size = { prefix: 'pred', width: 8, values: 3, grid };

onEveryBackend('heads at a scale', () => {
  // Two cells are thrown.
  const plan = () => tensorsOf([planOf(grid, [3, 0, 1, 6, 2, 4, 5, 7], 2, 4)]);

  it('predict the same for known tokens, whether they work on these alone or on the whole grid', () => {
    for (const scale of [4, 2, 1] as const) {
      const [own, everywhere] = (['scored', 'grid'] as const).map((headTokens) => scaledHead({ ...size, scale, headTokens }));
      const params = paramsOf(own!.params);
      const rows = scattered([6, 8]) as tf.Tensor2D;
      const [few, all] = [own!, everywhere!].map((head) => head.predict(rows, 'known', plan(), params));
      expect([few!.cells, all!.cells, few!.rows.shape]).toEqual(['known', 'known', [6, scale * scale * 3]]);
      expectValues(all!.rows, few!.rows.dataSync(), 4);
      expect([own!.tokenwise, everywhere!.tokenwise]).toEqual([true, false]);
    }
  });

  it('join tokens below scale 1, and so give the whole grid', () => {
    const head = scaledHead({ ...size, scale: 0.5, headTokens: 'scored' });
    const { rows, cells } = head.predict(scattered([6, 8]) as tf.Tensor2D, 'known', plan(), paramsOf(head.params));
    expect([cells, rows.shape, head.tokenwise]).toEqual(['grid', [2, 3], false]);
  });

  it('cost what they work on', () => {
    const macs = (scale: 1 | 0.5, headTokens: 'scored' | 'grid'): number => scaledHead({ ...size, scale, headTokens }).macs(6);
    expect([macs(1, 'scored'), macs(1, 'grid'), macs(0.5, 'scored')]).toEqual([6 * 24, 8 * 24, 2 * 24]);
  });
});

onEveryBackend('heads of tokens that travel side by side', () => {
  it('predict one value set for each of them, in their order', () => {
    const head = cellHead({ ...size, scale: 2 });
    const params = paramsOf(head.params);
    const rows = scattered([8, 8]) as tf.Tensor2D;
    const whole = head.predict(rows, 'grid', tensorsOf([planOf(grid, [0, 1, 2, 3, 4, 5, 6, 7], 2, 6)]), params);
    expect([whole.rows.shape, whole.cells, head.macs(2)]).toEqual([[2, 12], 'grid', 8 * 24]);
    const single = cellHead({ ...size, scale: 1 }).predict(tf.slice(rows, [5, 0], [1, 8]), 'grid', tensorsOf([planOf(grid, [0, 1, 2, 3, 4, 5, 6, 7], 2, 6)]), params);
    expectValues(tf.slice(whole.rows, [1, 3], [1, 3]), single.rows.dataSync(), 5);
  });
});
