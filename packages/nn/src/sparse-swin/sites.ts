import { ConfigError, type Grid } from '@mimlab/core';
import type { SwinStage } from '../swin/stages.js';
import { blockWindow } from '../swin/windows.js';
import { groupTokens, windowPlaces, type GroupSize, type TokenGroups, type WindowPlaces, type Windowing } from './windows.js';

/** Where blocks of one stage attend in the same way: its plain blocks, or its shifted ones. */
export interface SparseSite extends Windowing {
  /** `stage0.plain`, say; names its tables. */
  readonly name: string;
  readonly stage: SwinStage;
  /** Blocks of the stage that attend here. */
  readonly blocks: number;
  /** Visible tokens of the stage. */
  readonly tokens: number;
  /** Tokens are put into groups; else all of them are one sequence, which is cheaper while they are few. */
  readonly grouped: boolean;
}

const nameOf = ({ index }: SwinStage, shift: number): string => `stage${index}.${shift === 0 ? 'plain' : 'shifted'}`;

/** Tokens that a unit, one token of the last stage, has along a side in this stage. */
const unitSide = (stage: SwinStage, stages: readonly SwinStage[]): number => 2 ** (stages.length - 1 - stage.index);

/**
 * The sites of all stages for masks that show `visible` units. Up to two windows' worth of tokens are one sequence.
 * Source: released GreenMIM, GroupingModule and the choice between its two kinds of attention.
 */
export function sparseSites(stages: readonly SwinStage[], visible: number): SparseSite[] {
  return stages.flatMap((stage) => {
    const sites = new Map<string, SparseSite>();
    for (let j = 0; j < stage.depth; j++) {
      const { side: window, shift } = blockWindow(stage.grid, stage.window, j);
      const name = nameOf(stage, shift);
      const tokens = visible * unitSide(stage, stages) ** 2;
      const blocks = (sites.get(name)?.blocks ?? 0) + 1;
      sites.set(name, { name, stage, blocks, tokens, grid: stage.grid, window, shift, grouped: tokens > 2 * window ** 2 });
    }
    return [...sites.values()];
  });
}

/** The site that block `j` of a stage attends at. */
export function siteOf(sites: readonly SparseSite[], stage: SwinStage, j: number): SparseSite {
  const name = nameOf(stage, blockWindow(stage.grid, stage.window, j).shift);
  const site = sites.find((one) => one.name === name);
  if (site === undefined) throw new ConfigError(`there is no site '${name}'`, { place: 'sparse Swin' });
  return site;
}

/**
 * Cells of the visible tokens of a stage. Tokens of a unit stand together, and at every stage the four that merge stand
 * side by side in the order in which merging joins them (column by column), so that merging moves nothing.
 * @param units visible cells of the last stage's grid
 */
export function visibleCells(units: Int32Array, stage: SwinStage, stages: readonly SwinStage[]): Int32Array {
  const side = unitSide(stage, stages);
  const unitsPerRow = stage.grid.columns / side;
  const inside = nested(side);
  const cells = new Int32Array(units.length * inside.length);
  units.forEach((unit, u) => {
    const top = Math.floor(unit / unitsPerRow) * side;
    const left = (unit % unitsPerRow) * side;
    inside.forEach(([row, column], i) => {
      cells[u * inside.length + i] = (top + row) * stage.grid.columns + left + column;
    });
  });
  return cells;
}

/** [row, column] of the tokens of a unit with `side` (a power of two) tokens along a side. */
function nested(side: number): [number, number][] {
  if (side === 1) return [[0, 0]];
  return nested(side / 2).flatMap(([row, column]): [number, number][] => [
    [2 * row, 2 * column],
    [2 * row + 1, 2 * column],
    [2 * row, 2 * column + 1],
    [2 * row + 1, 2 * column + 1],
  ]);
}

/** The visible tokens of a site: in which windows they lie, and which of them share a sequence. */
export interface SiteGroups extends TokenGroups, WindowPlaces {}

/** @param units visible cells of the last stage's grid */
export function groupsAt(site: SparseSite, stages: readonly SwinStage[], units: Int32Array, rule: GroupSize): SiteGroups {
  const places = windowPlaces(visibleCells(units, site.stage, stages), site);
  const groups = site.grouped ? groupTokens(places.windows, site.window ** 2, rule) : { size: site.tokens, groups: [Array.from(places.windows.keys())] };
  return { ...places, ...groups };
}

/** The grid of units: that of the last stage. */
export const coarsestGrid = (stages: readonly SwinStage[]): Grid => (stages[stages.length - 1] as SwinStage).grid;
