import { cellsOf, roleMask, type Grid, type Params, type PlanTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { attention } from '../layers/attention.js';
import { gatherRows, restoreRows } from '../layers/gather-rows.js';
import { linear } from '../layers/linear.js';
import { visibleInverse } from '../vit/tokens.js';
import type { SwinStage } from './stages.js';
import { permuteTokens, relativeTable, windowBias } from './window-attention.js';
import { blockWindow, windowsOf, type Windows } from './windows.js';

/** Keeps hidden tokens out of the softmax. */
const ABSENT = -100;

/** Tokens along the side of a unit on a grid. */
export const unitSide = (grid: Grid, units: Grid): number => grid.rows / units.rows;

/**
 * Where the tokens of a stage stand in its windows: for each slot the token, numbered unit by unit, in raster order
 * inside a unit. `misplaced`: as the released LocalMIM has it behind the first merging, where this number is taken for that of
 * a cell in raster order, so that most tokens stand in the places of others.
 */
export function slotTokens({ order }: Windows, grid: Grid, units: Grid, misplaced: boolean): Int32Array {
  const side = unitSide(grid, units);
  if (misplaced) return order;
  return order.map((cell) => {
    const [row, column] = [Math.floor(cell / grid.columns), cell % grid.columns];
    const unit = Math.floor(row / side) * units.columns + Math.floor(column / side);
    return unit * side * side + (row % side) * side + (column % side);
  });
}

function inverseOf(order: Int32Array): Int32Array {
  const inverse = new Int32Array(order.length);
  order.forEach((token, slot) => (inverse[token] = slot));
  return inverse;
}

/** Everything about attention in a block that does not depend on the mask. */
export interface VisibleSite {
  readonly stage: SwinStage;
  readonly windows: Windows;
  readonly tokens: Int32Array;
  readonly slots: Int32Array;
  readonly perUnit: number;
}

/** @param units the grid of mask units  @param misplaced see `slotTokens` */
export function visibleSite(stage: SwinStage, block: number, units: Grid, misplaced: boolean): VisibleSite {
  const { side, shift } = blockWindow(stage.grid, stage.window, block);
  const windows = windowsOf(stage.grid, side, shift);
  const tokens = slotTokens(windows, stage.grid, units, misplaced);
  return { stage, windows, tokens, slots: inverseOf(tokens), perUnit: unitSide(stage.grid, units) ** 2 };
}

/**
 * Attention of visible tokens inside the windows of the whole grid: linear maps work on visible tokens alone, attention on
 * whole windows in which hidden places are masked. One mask serves the batch. No table is needed beside the plan, which
 * speaks of units: squares of tokens that are visible or hidden together.
 * @param rows [B * V * tokens of a unit, C], unit by unit, raster order inside; the same come back
 */
export function visibleAttention(rows: Tensor2D, plan: PlanTensors, params: Params, prefix: string, { stage, windows, tokens, slots, perUnit }: VisibleSite): Tensor2D {
  const { batch, grid, counts } = plan;
  const { heads, width } = stage;
  const cells = tokens.length;
  const inverse = visibleInverse(plan);
  const byUnit = (x: Tensor2D): Tensor2D => tf.reshape(x, [batch * counts.visible, perUnit * x.shape[1]]);
  const placed = 'compute' in inverse ? inverse.compute(inverse.from) : inverse;
  const qkv = restoreRows(byUnit(linear(rows, params, `${prefix}.qkv`)), placed, plan.visibleRows);
  const inWindows = permuteTokens(tf.reshape(qkv, [batch, cells, 3 * width]) as Tensor3D, tokens, slots);
  const shape = { batch: batch * windows.count, tokens: windows.side ** 2, heads };
  const bias = tf.add(windowBias(relativeTable(params, prefix), windows), absentSlots(plan, tokens, perUnit, windows)) as Tensor4D;
  const attended = attention(tf.reshape(inWindows, [batch * cells, 3 * width]), shape, bias);
  const restored = permuteTokens(tf.reshape(attended, [batch, cells, width]) as Tensor3D, slots, tokens);
  const seen = gatherRows(tf.reshape(restored, [batch * cellsOf(grid), perUnit * width]), plan.visibleRows, inverse);
  return linear(tf.reshape(seen, [rows.shape[0], width]) as Tensor2D, params, `${prefix}.proj`);
}

/** What hides slots without a visible token as keys, [windows, 1, 1, slots of a window]. The first image's mask is that of all. */
function absentSlots(plan: PlanTensors, tokens: Int32Array, perUnit: number, { count, side }: Windows): Tensor4D {
  const mask_1N = tf.slice(roleMask(plan, 'visible'), [0, 0], [1, cellsOf(plan.grid)]);
  const unitOfSlot = tf.tensor1d(tokens.map((token) => Math.floor(token / perUnit)), 'int32');
  const seen = tf.gather(tf.reshape(mask_1N, [-1]) as Tensor1D, unitOfSlot);
  return tf.reshape(tf.mul(tf.sub(1, seen), ABSENT), [count, 1, 1, side * side]);
}
