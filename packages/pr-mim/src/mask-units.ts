import { cellsOf, CompositionError, type Grid, type PlanCounts, type Sampler, type TokenPlan } from '@mimlab/core';
import { cellsOfUnit, unitGrid } from '@mimlab/nn';

/** What is thrown as a whole: single tokens, or the blocks that the method masks by. */
export type ThrowUnit = 'token' | 'mask-unit';

/** A grid seen in blocks of equal size. */
export interface Units {
  /** The grid of the blocks; that of the tokens where a block is one token. */
  readonly grid: Grid;
  /** Tokens in a block. */
  readonly size: number;
  /** Cells of block `id`, raster order. */
  cells(id: number): readonly number[];
  /** The block that a cell lies in. */
  of(cell: number): number;
}

/** @throws CompositionError if blocks are asked for and the method masks token by token. */
export function unitsOf(sampler: Sampler, grid: Grid, throwUnit: ThrowUnit): Units {
  if (throwUnit === 'token') return { grid, size: 1, cells: (id) => [id], of: (cell) => cell };
  const unit = sampler.unit?.(grid);
  if (unit === undefined) {
    throw new CompositionError('the method masks token by token, so there are no mask units to throw', { place: 'pr-mim.throwUnit', remedy: 'Set throwUnit: token.' });
  }
  const coarse = unitGrid(grid, unit);
  return {
    grid: coarse,
    size: cellsOf(unit),
    cells: (id) => cellsOfUnit(grid, unit, id),
    of: (cell) => Math.floor(Math.floor(cell / grid.columns) / unit.rows) * coarse.columns + Math.floor((cell % grid.columns) / unit.columns),
  };
}

/** Tokens of the blocks, block by block. */
export const cellsOfUnits = (units: Units, ids: Int32Array): Int32Array => (units.size === 1 ? ids.slice() : Int32Array.from([...ids].flatMap((id) => units.cells(id))));

/** Blocks of a list of cells, in the order in which they are first met. @throws CompositionError if the list holds part of a block only. */
export function unitsOfCells(units: Units, cells: Int32Array): Int32Array {
  if (units.size === 1) return cells;
  const met = Int32Array.from(new Set(Array.from(cells, (cell) => units.of(cell))));
  if (met.length * units.size === cells.length) return met;
  throw new CompositionError('a mask unit is hidden in part', { place: 'pr-mim.throwUnit', remedy: 'Set throwUnit: token, or use a sampler that hides whole units.' });
}

/** Counts in blocks. */
export const countsInUnits = ({ visible, retained, thrown }: PlanCounts, { size }: Units): PlanCounts => ({
  visible: visible / size,
  retained: retained / size,
  thrown: thrown / size,
});

/** Counts in tokens again. */
export const countsInTokens = ({ visible, retained, thrown }: PlanCounts, { size }: Units): PlanCounts => ({
  visible: visible * size,
  retained: retained * size,
  thrown: thrown * size,
});

/** Weights of blocks: the sum over their tokens. */
export const unitWeights = (units: Units, weights: Float64Array): Float64Array =>
  units.size === 1 ? weights : Float64Array.from({ length: cellsOf(units.grid) }, (_, id) => units.cells(id).reduce((sum, cell) => sum + (weights[cell] as number), 0));

/** Cells that stand in none of the lists, raster order. */
export function otherCells(grid: Grid, ...lists: readonly Int32Array[]): Int32Array {
  const listed = new Uint8Array(cellsOf(grid));
  for (const list of lists) for (const cell of list) listed[cell] = 1;
  return Int32Array.from([...listed.keys()].filter((cell) => listed[cell] === 0));
}

/** Masked tokens divided: the chosen first, the others thrown, or, under loss subsetting, behind the chosen. */
export function dividedPlan(plan: TokenPlan, chosen: Int32Array, rest: Int32Array, subset: boolean): TokenPlan {
  if (!subset) return { ...plan, retained: chosen, thrown: rest.sort() };
  const retained = new Int32Array(chosen.length + rest.length);
  retained.set(chosen);
  retained.set(rest, chosen.length);
  return { ...plan, retained, thrown: new Int32Array(0) };
}
