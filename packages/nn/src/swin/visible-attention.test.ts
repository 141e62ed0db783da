import * as tf from '@tensorflow/tfjs';
import type { Params, PlanTensors } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { paramsOf } from '../../test-support/objective.js';
import { planOf, tensorsOf } from '../../test-support/plans.js';
import { swinBlockParams } from './block.js';
import type { SwinStage } from './stages.js';
import { slotTokens, visibleAttention, visibleSite } from './visible-attention.js';
import { windowAttention } from './window-attention.js';
import { windowsOf } from './windows.js';

/** 2 x 2 units of 2 x 2 tokens, windows of 2 that the odd block shifts by 1. */
const units = { rows: 2, columns: 2 };
const stage: SwinStage = { index: 0, grid: { rows: 4, columns: 4 }, width: 4, depth: 2, heads: 2, mlpRatio: 1, window: 2, firstBlock: 0, merges: true };
const blockParams = (): Params => paramsOf(swinBlockParams('block', { width: 4, heads: 2, mlpRatio: 1, window: 2 }));
const planFor = (...visible: number[]): PlanTensors => {
  const order = [...visible, ...[0, 1, 2, 3].filter((unit) => !visible.includes(unit))];
  return tensorsOf([planOf(units, order, visible.length, 4 - visible.length), planOf(units, order, visible.length, 4 - visible.length)]);
};
const attend = (rows: tf.Tensor2D, plan: PlanTensors, block: number, values = blockParams()): tf.Tensor2D => visibleAttention(rows, plan, values, 'block.attn', visibleSite(stage, block, units, false));
/** Rows of raster order for each row of unit order, and back: with units of 2 x 2 in 4 x 4 the exchange is its own inverse. */
const exchanged = (rows: tf.Tensor): tf.Tensor => {
  const [count, width] = rows.shape as [number, number];
  return tf.reshape(tf.transpose(tf.reshape(rows, [count / 8, 2, 2, 2, width]), [0, 2, 1, 3, 4]), [count, width]);
};

onEveryBackend('attention of visible tokens in windows', () => {
  it.each([0, 1])('is that of the whole grid where all is visible, block %d', (block) => {
    const rows = scattered([32, 4]) as tf.Tensor2D;
    const windows = windowsOf(stage.grid, 2, block);
    const whole = windowAttention(exchanged(rows) as tf.Tensor2D, blockParams(), 'block.attn', { batch: 2, heads: 2, windows });
    expectValues(attend(rows, planFor(0, 1, 2, 3), block), exchanged(whole).dataSync());
  });

  it('does not see hidden tokens: in windows that are units, each unit is by itself', () => {
    const rows = scattered([32, 4]) as tf.Tensor2D;
    const all = attend(rows, planFor(0, 1, 2, 3), 0);
    const pick = (x: tf.Tensor): tf.Tensor => tf.reshape(tf.slice(tf.reshape(x, [2, 4, 4, 4]), [0, 2, 0, 0], [2, 2, 4, 4]), [16, 4]);
    expectValues(attend(pick(rows) as tf.Tensor2D, planFor(2, 3), 0), pick(all).dataSync());
  });

  it('masks hidden tokens of shifted windows instead of counting them as zeros', () => {
    // Only unit 0 is visible; in the shifted block its last token shares the middle window with hidden ones alone.
    const rows = scattered([8, 4]) as tf.Tensor2D;
    const params = blockParams();
    const lone = attend(rows, planFor(0), 1);
    const value = tf.add(tf.matMul(rows, tf.slice(params['block.attn.qkv.weight'] as tf.Tensor2D, [0, 8], [4, 4])), tf.slice(params['block.attn.qkv.bias'] as tf.Tensor1D, [8], [4]));
    const projected = tf.add(tf.matMul(value as tf.Tensor2D, params['block.attn.proj.weight'] as tf.Tensor2D), params['block.attn.proj.bias']!);
    expectValues(tf.slice(lone, [3, 0], [1, 4]), tf.slice(projected, [3, 0], [1, 4]).dataSync());
  });

  it('has gradients for tokens, maps and relative positions', () => {
    const params = blockParams();
    const names = ['block.attn.qkv.weight', 'block.attn.relative_position_bias_table'];
    expectGradients(
      (rows, ...values) => attend(rows as tf.Tensor2D, planFor(3, 0), 1, { ...params, ...Object.fromEntries(names.map((name, i) => [name, values[i]!])) }),
      [scattered([16, 4]), ...names.map((name) => params[name]!)],
      2e-2,
    );
  });
});

describe('tokens in the slots of windows', () => {
  const grid = { rows: 4, columns: 4 };
  const units = { rows: 2, columns: 2 };

  it('are numbered unit by unit', () => {
    // One window in raster order: its second row begins with the third token of unit 0.
    expect([...slotTokens(windowsOf(grid, 4, 0), grid, units, false)]).toEqual([0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]);
  });

  it('stand where the released code puts them, if asked for: numbers taken for raster numbers', () => {
    expect([...slotTokens(windowsOf(grid, 4, 0), grid, units, true)]).toEqual(Array.from({ length: 16 }, (_, i) => i));
  });

  it('at full size are misplaced but for the units whose numbers happen to agree', () => {
    const right = (side: number): number => {
      const stage = { rows: 7 * side, columns: 7 * side };
      const windows = windowsOf(stage, 7, 0);
      const [wrong, proper] = [true, false].map((misplaced) => slotTokens(windows, stage, { rows: 7, columns: 7 }, misplaced));
      return wrong!.filter((token, slot) => token === proper![slot]).length;
    };
    expect([right(4), right(2), right(1)]).toEqual([7 * 4 * 4, 7 * 2 * 2, 49]);
  });
});
