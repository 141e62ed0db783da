import { ConfigError } from '@mimlab/core';
import { vitBlockMacs } from '../cost/vit.js';
import { mlpWidth } from '../params/specs.js';
import { blockWindow } from '../swin/windows.js';
import { attendedCells, type SparseStage } from './stages.js';
import { groupTokens, windowPlaces, type GroupSize, type TokenGroups, type WindowPlaces, type Windowing } from './windows.js';

/** Where blocks of one stage attend in the same way: its plain blocks, or its shifted ones. */
export interface SparseSite extends Windowing {
  /** `stage0.plain`, say; names its tables. */
  readonly name: string;
  readonly stage: SparseStage;
  /** Blocks of the stage that attend here. */
  readonly blocks: number;
  /** Visible tokens of the stage. */
  readonly tokens: number;
  /** Tokens are put into groups; else all of them are one sequence, which is cheaper while they are few. */
  readonly grouped: boolean;
}

const nameOf = ({ index }: SparseStage, shift: number): string => `stage${index}.${shift === 0 ? 'plain' : 'shifted'}`;

/**
 * The sites of all stages for masks that show `visible` units. Up to two windows' worth of tokens are one sequence.
 * Source: released GreenMIM, GroupingModule and the choice between its two kinds of attention.
 */
export function sparseSites(stages: readonly SparseStage[], visible: number): SparseSite[] {
  return stages.flatMap((stage) => {
    const sites = new Map<string, SparseSite>();
    for (let j = 0; j < stage.depth; j++) {
      const { side: window, shift } = blockWindow(stage.grid, stage.window, j);
      const name = nameOf(stage, shift);
      const tokens = visible * stage.side ** 2;
      const blocks = (sites.get(name)?.blocks ?? 0) + 1;
      sites.set(name, { name, stage, blocks, tokens, grid: stage.grid, window, shift, grouped: tokens > 2 * window ** 2 });
    }
    return [...sites.values()];
  });
}

/** The site that block `j` of a stage attends at. */
export function siteOf(sites: readonly SparseSite[], stage: SparseStage, j: number): SparseSite {
  const name = nameOf(stage, blockWindow(stage.grid, stage.window, j).shift);
  const site = sites.find((one) => one.name === name);
  if (site === undefined) throw new ConfigError(`there is no site '${name}'`, { place: 'sparse Swin' });
  return site;
}

/** The visible tokens of a site: in which windows they lie, and which of them share a sequence. */
export interface SiteGroups extends TokenGroups, WindowPlaces {}

/** @param units visible cells of the last stage's grid */
export function groupsAt(site: SparseSite, units: Int32Array, rule: GroupSize): SiteGroups {
  const { width, mlpRatio } = site.stage;
  const places = windowPlaces(attendedCells(units, site.stage), site);
  const costOf = (size: number): number => vitBlockMacs(size, width, mlpWidth(width, mlpRatio) / width);
  const groups = site.grouped ? groupTokens(places.windows, site.window ** 2, rule, costOf) : { size: site.tokens, groups: [Array.from(places.windows.keys())] };
  return { ...places, ...groups };
}
