import { DataError } from '../errors.js';
import { cellsOf, type Grid } from '../image.js';

/**
 * Which tokens of one image are seen, reconstructed at full cost, and thrown. Made on the host, in the loader.
 *
 * Known tokens are `visible ++ retained`, in exactly this order. The sampler of the method chooses the order of
 * `visible`; an unwrapped plan throws nothing and lists every masked token in `retained`, in the masker's random order.
 */
export interface TokenPlan {
  readonly grid: Grid;
  /** V cell ids. */
  readonly visible: Int32Array;
  /** K cell ids, in order of selection. */
  readonly retained: Int32Array;
  /** T cell ids, ascending. */
  readonly thrown: Int32Array;
  /**
   * Visible cells that the decoder gets a mask token for besides (VideoMAE V2's decoder mask keeps such cells). They stand
   * behind `retained` in known order and have no loss. The other lists hold every cell once all the same.
   */
  readonly repeated?: Int32Array;
  /** What the method's own encoder needs besides (GreenMIM's groups, say). */
  readonly aux?: Readonly<Record<string, Int32Array>>;
}

/** V, K and T. V + K + T is the number of cells of the grid. */
export interface PlanCounts {
  readonly visible: number;
  readonly retained: number;
  readonly thrown: number;
  /** Plans have `repeated` cells: they count among K, and T is what V + K leaves of the grid, fewer than are thrown. */
  readonly repeats?: true;
}

/** A plan that shows every cell, in raster order: what evaluation feeds an encoder. */
export const fullPlan = (grid: Grid): TokenPlan => ({
  grid,
  visible: Int32Array.from({ length: cellsOf(grid) }, (_, cell) => cell),
  retained: new Int32Array(0),
  thrown: new Int32Array(0),
});

export const countsOf = ({ visible, retained, thrown, repeated }: TokenPlan): PlanCounts =>
  repeated === undefined
    ? { visible: visible.length, retained: retained.length, thrown: thrown.length }
    : { visible: visible.length, retained: retained.length + repeated.length, thrown: thrown.length - repeated.length, repeats: true };

/**
 * Checks that every cell of the grid stands in exactly one of the three lists, and that repeated cells are visible.
 * @throws DataError naming the first cell that is outside the grid, missing or listed twice.
 */
export function checkPlan(plan: TokenPlan): void {
  const cells = cellsOf(plan.grid);
  const seen = new Uint8Array(cells);
  for (const [list, ids] of Object.entries({ visible: plan.visible, retained: plan.retained, thrown: plan.thrown })) {
    for (const cell of ids) {
      if (cell < 0 || cell >= cells) throw new DataError(`cell ${cell} lies outside the grid of ${cells} cells`, { place: `plan.${list}` });
      if (seen[cell] === 1) throw new DataError(`cell ${cell} is listed twice`, { place: `plan.${list}` });
      seen[cell] = 1;
    }
  }
  const missing = seen.indexOf(0);
  if (missing >= 0) throw new DataError(`cell ${missing} is in none of the lists`, { place: 'plan' });
  const visible = new Set(plan.visible);
  for (const cell of plan.repeated ?? []) {
    // Each is taken out, so that a second one is noticed.
    if (!visible.delete(cell)) throw new DataError(`cell ${cell} is not visible, or repeated twice`, { place: 'plan.repeated' });
  }
}
