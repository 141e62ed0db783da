import type { Grid, ImageSpec } from '@mimlab/core';
import { patchGrid, type PatchSize } from '../images/patchify.js';
import { swinStages, type SwinOptions, type SwinStage } from '../swin/stages.js';

/** In which order merging joins the four tokens of a cell: column by column, as Swin does, or row by row. */
export type JoinOrder = 'columns' | 'rows';

export interface SparseStagesOptions extends Omit<SwinOptions, 'grid' | 'cutWindows'> {
  readonly image: ImageSpec;
  /** Patch of the first stage. */
  readonly patch: PatchSize;
  /** Default `columns`. Row by row: the first public GreenMIM, and LocalMIM. */
  readonly joining?: JoinOrder;
  /**
   * Behind the first merging tokens attend from the places of others, as in the released LocalMIM: there the number of a
   * token, counted unit by unit, is taken for that of a cell in raster order. Default false.
   */
  readonly misplaced?: boolean;
}

/** A stage of a Swin that carries visible tokens alone, unit by unit; a unit is a token of the last stage. */
export interface SparseStage extends SwinStage {
  /** Tokens along the side of a unit. */
  readonly side: number;
  /**
   * [row, column] inside their unit of its tokens, in the order in which they are carried: the four that merge stand side
   * by side as they are joined, at every stage, so that merging moves nothing.
   */
  readonly inside: readonly (readonly [row: number, column: number])[];
  readonly misplaced: boolean;
}

/** The stages of a sparse Swin; its plans speak of the last stage's grid. @throws ConfigError if sizes do not fit. */
export function sparseSwinStages({ image, patch, joining = 'columns', misplaced = false, ...sizes }: SparseStagesOptions): SparseStage[] {
  const stages = swinStages({ ...sizes, grid: patchGrid(image, patch), cutWindows: true });
  return stages.map((stage) => {
    const side = 2 ** (stages.length - 1 - stage.index);
    return { ...stage, side, inside: nested(side, joining), misplaced: misplaced && stage.index > 0 };
  });
}

/** [row, column] of the tokens of a unit with `side` (a power of two) tokens along a side. */
function nested(side: number, joining: JoinOrder): [number, number][] {
  if (side === 1) return [[0, 0]];
  const steps = [0, 1].flatMap((outer) => [0, 1].map((inner) => (joining === 'rows' ? [outer, inner] : [inner, outer]) as [number, number]));
  return nested(side / 2, joining).flatMap(([row, column]) => steps.map(([down, right]): [number, number] => [2 * row + down, 2 * column + right]));
}

/** The grid of units: that of the last stage. */
export const coarsestGrid = (stages: readonly SwinStage[]): Grid => (stages[stages.length - 1] as SwinStage).grid;

/** Cells of the visible tokens of a stage, in the order in which they are carried. @param units visible cells of the last stage's grid */
export function visibleCells(units: Int32Array, { grid, side, inside }: SparseStage): Int32Array {
  const unitsPerRow = grid.columns / side;
  return ofTokens(units, inside, (unit, row, column) => (Math.floor(unit / unitsPerRow) * side + row) * grid.columns + (unit % unitsPerRow) * side + column);
}

/** The cells that they attend from: their own, unless tokens are misplaced. */
export function attendedCells(units: Int32Array, stage: SparseStage): Int32Array {
  const { side, inside, misplaced } = stage;
  return misplaced ? ofTokens(units, inside, (unit, row, column) => (unit * side + row) * side + column) : visibleCells(units, stage);
}

const ofTokens = (units: Int32Array, inside: SparseStage['inside'], cellOf: (unit: number, row: number, column: number) => number): Int32Array =>
  Int32Array.from([...units].flatMap((unit) => inside.map(([row, column]) => cellOf(unit, row, column))));
