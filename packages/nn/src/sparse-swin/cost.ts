import { cellsOf, randomStream, type TokenPlan } from '@mimlab/core';
import { patchMergingMacs } from '../cost/swin.js';
import { linearMacs } from '../cost/vit.js';
import { mlpWidth } from '../params/specs.js';
import { orderFromNoise } from '../sampling/random-masking.js';
import { groupsAt, sparseSites, type SparseSite } from './sites.js';
import { coarsestGrid, type SparseStage } from './stages.js';
import { tableNames } from './tables.js';
import type { GroupSize } from './windows.js';

/** Masks that an expected cost is the mean over. */
export const COST_MASKS = 300;

/** Slots of a site's groups, and the products of attention over them: sums of S and S^2 over the groups. */
export interface SiteLoad {
  readonly slots: number;
  readonly products: number;
}

export interface SparseCost {
  readonly stages: readonly SparseStage[];
  readonly rule: GroupSize;
  /** Blocks run on groups as a whole, padding slots included; else their attention alone does. */
  readonly wholeBlocks: boolean;
}

/** What the groups of this very plan come to, the padding of slots and groups included: its tables have a place for each slot and pair. */
export function plannedLoad(site: SparseSite, { aux = {} }: TokenPlan): SiteLoad {
  const { positions, pairs } = tableNames(site);
  return { slots: aux[positions]?.length ?? 0, products: aux[pairs]?.length ?? 0 };
}

const known = new Map<string, ReadonlyMap<string, SiteLoad>>();

/** What groups come to in the mean over seeded masks, before any padding to fixed shapes. Kept: it takes a while, and is asked again by every model of the same sizes. */
export function expectedLoads(cost: SparseCost, visible: number): ReadonlyMap<string, SiteLoad> {
  const name = JSON.stringify([cost.stages, cost.rule, visible]);
  const loads = known.get(name) ?? meanLoads(cost, visible);
  known.set(name, loads);
  return loads;
}

function meanLoads({ stages, rule }: SparseCost, visible: number): ReadonlyMap<string, SiteLoad> {
  const sites = sparseSites(stages, visible);
  const sums = new Map(sites.map(({ name }) => [name, { slots: 0, products: 0 }]));
  const cells = cellsOf(coarsestGrid(stages));
  for (let mask = 0; mask < COST_MASKS; mask++) {
    const random = randomStream('sparse-swin-cost', mask);
    const units = orderFromNoise(Float64Array.from({ length: cells }, () => random.uniform())).slice(0, visible).sort();
    for (const site of sites) {
      const { size, groups } = groupsAt(site, units, rule);
      const sum = sums.get(site.name) as { slots: number; products: number };
      sum.slots += (groups.length * size) / COST_MASKS;
      sum.products += (groups.length * size * size) / COST_MASKS;
    }
  }
  return sums;
}

/** Multiply-accumulates of all stages for one image, mergings included. */
export function sparseSwinMacs({ stages, wholeBlocks }: SparseCost, visible: number, loadOf: (site: SparseSite) => SiteLoad): number {
  const sites = sparseSites(stages, visible);
  const blocks = sites.reduce((sum, site) => {
    const { width, mlpRatio } = site.stage;
    const { slots, products } = loadOf(site);
    const linear = linearMacs(wholeBlocks ? slots : site.tokens, width, 4 * width + 2 * mlpWidth(width, mlpRatio));
    return sum + site.blocks * (linear + 2 * products * width);
  }, 0);
  const mergings = stages.filter(({ merges }) => merges).reduce((sum, stage) => {
    const tokens = sites.find((site) => site.stage.index === stage.index)?.tokens ?? 0;
    return sum + patchMergingMacs(tokens, stage.width);
  }, 0);
  return blocks + mergings;
}
