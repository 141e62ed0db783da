import type { NamedTensors, PlanTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { blockWindow, windowsOf, type Windows } from '../swin/windows.js';
import type { SparseSite } from './sites.js';
import { attendedCells, type SparseStage } from './stages.js';
import { inverseOf, patchTables, sparseTables } from './tables.js';

/** Whether windows tile the grids of all stages: then whole images need no groups. */
export const windowsTile = (stages: readonly SparseStage[]): boolean =>
  stages.every(({ grid: { rows, columns }, window }) => {
    const { side } = blockWindow({ rows, columns }, window, 0);
    return rows % side === 0 && columns % side === 0;
  });

/** A plan that shows every cell, in raster order, with the arrays it would have: group tables only where windows do not tile the grids. */
export function wholeGrid(plan: PlanTensors, stages: readonly SparseStage[]): PlanTensors {
  const units = allUnits(plan.counts.visible);
  const tables = windowsTile(stages) ? patchTables(stages, units) : sparseTables(stages, units, 'compact');
  const aux: NamedTensors = Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, tf.tensor1d(table, 'int32')]));
  return { ...plan, aux };
}

/** The windows of a site on whole grids, for tokens in the order in which they are carried. */
export function wholeWindows({ grid, window, shift, stage, tokens }: SparseSite): Windows {
  const windows = windowsOf(grid, window, shift);
  const cells = attendedCells(allUnits(tokens / stage.side ** 2), stage);
  const tokenAt = inverseOf(cells, cells.length);
  return { ...windows, order: windows.order.map((cell) => tokenAt[cell] as number), inverse: cells.map((cell) => windows.inverse[cell] as number) };
}

const allUnits = (count: number): Int32Array => Int32Array.from({ length: count }, (_, unit) => unit);
