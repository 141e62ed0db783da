import { cellsOf } from '@mimlab/core';
import { groupsAt, sparseSites, type SiteGroups, type SparseSite } from './sites.js';
import { visibleCells, type SparseStage } from './stages.js';
import { windowCount, type GroupSize } from './windows.js';

/**
 * How many groups tables have room for, over the number that full groups would need. All tables of a plan take the same
 * step up, the first that suffices everywhere, and where none does as many groups as there are windows: shapes come in
 * this many kinds, and so do compiled steps.
 */
export const GROUP_BUCKETS = [1.25, 1.5, 2, 3] as const;

/** Names of a site's arrays in the plan's `aux`. */
export const tableNames = ({ name }: Pick<SparseSite, 'name'>) =>
  ({ slots: `${name}.slots`, places: `${name}.places`, positions: `${name}.positions`, pairs: `${name}.pairs` }) as const;

/** Names of the arrays that say which patches are visible. */
export const CELLS = 'cells';
export const CELL_PLACES = 'cellPlaces';

/** Slots that a group has in the tables: whole areas of a window, enough for groups of `size`; or all tokens. */
const slotsOf = ({ grouped, window, tokens }: SparseSite, size: number): number => (grouped ? Math.ceil(size / window ** 2) * window ** 2 : tokens);

/**
 * Everything about a mask that the sparse Swin encoder needs, as arrays for a plan's `aux`; n tokens, G groups of S slots:
 *
 * | array            | length    | content                                                                    |
 * | ---------------- | --------- | -------------------------------------------------------------------------- |
 * | `cells`          | n         | cell of every visible token on the grid of patches                         |
 * | `cellPlaces`     | N         | its inverse; n for hidden cells                                            |
 * | `SITE.slots`     | G S       | token in every slot; n where there is none                                 |
 * | `SITE.places`    | n         | slot of every token                                                        |
 * | `SITE.positions` | G S       | place of the token inside its window, row * window + column; window^2 where there is none |
 * | `SITE.pairs`     | G S S     | position of query * window^2 + position of key; window^4 where query may not see key |
 *
 * Sites that put all tokens into one sequence have no `slots` and `places`.
 * @param units visible cells of the last stage's grid, in the order in which the encoder shall deliver them
 */
export function sparseTables(stages: readonly SparseStage[], units: Int32Array, rule: GroupSize): Record<string, Int32Array> {
  const tables = patchTables(stages, units);
  const sites = sparseSites(stages, units.length).map((site) => ({ site, made: groupsAt(site, units, rule) }));
  const bucket = GROUP_BUCKETS.find((factor) => sites.every(({ site, made }) => made.groups.length <= roomFor(site, made, factor)));
  for (const { site, made } of sites) Object.assign(tables, siteTables(site, made, roomFor(site, made, bucket)));
  return tables;
}

/** The two tables that say which patches are visible. */
export function patchTables(stages: readonly SparseStage[], units: Int32Array): Record<string, Int32Array> {
  const first = stages[0] as SparseStage;
  const cells = visibleCells(units, first);
  return { [CELLS]: cells, [CELL_PLACES]: inverseOf(cells, cellsOf(first.grid)) };
}

/** Groups that a table has room for; `undefined`: one for each window. */
function roomFor(site: SparseSite, { size }: SiteGroups, factor: number | undefined): number {
  if (!site.grouped) return 1;
  const windows = windowCount(site);
  return factor === undefined ? windows : Math.min(windows, Math.ceil((site.tokens / slotsOf(site, size)) * factor));
}

function siteTables(site: SparseSite, { size: filled, groups, windows, positions }: SiteGroups, room: number): Record<string, Int32Array> {
  const { tokens, grouped, window } = site;
  const size = slotsOf(site, filled);
  const area = window ** 2;
  const slots = new Int32Array(room * size).fill(tokens);
  groups.forEach((group, g) => {
    slots.set(group, g * size);
  });
  const pairs = new Int32Array(room * size * size).fill(area * area);
  for (let first = 0; first < slots.length; first += size) {
    for (let query = 0; query < size; query++) {
      const i = slots[first + query] as number;
      for (let key = 0; key < size && i < tokens; key++) {
        const j = slots[first + key] as number;
        if (j < tokens && windows[i] === windows[j]) pairs[(first + query) * size + key] = (positions[i] as number) * area + (positions[j] as number);
      }
    }
  }
  const names = tableNames(site);
  const tables = { [names.positions]: slots.map((token) => positions[token] ?? area), [names.pairs]: pairs };
  return grouped ? { [names.slots]: slots, [names.places]: inverseOf(slots, tokens), ...tables } : tables;
}

/** Place of each of `size` values in a list that holds it at most once; the length of the list where it does not. */
export function inverseOf(values: Int32Array, size: number): Int32Array {
  const inverse = new Int32Array(size).fill(values.length);
  values.forEach((value, place) => {
    if (value < size) inverse[value] = place;
  });
  return inverse;
}
