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
  /** What the method's own encoder needs besides (GreenMIM's groups, say). */
  readonly aux?: Readonly<Record<string, Int32Array>>;
}

/** V, K and T. V + K + T is the number of cells of the grid. */
export interface PlanCounts {
  readonly visible: number;
  readonly retained: number;
  readonly thrown: number;
}

/** A plan that shows every cell, in raster order: what evaluation feeds an encoder. */
export const fullPlan = (grid: Grid): TokenPlan => ({
  grid,
  visible: Int32Array.from({ length: cellsOf(grid) }, (_, cell) => cell),
  retained: new Int32Array(0),
  thrown: new Int32Array(0),
});

export const countsOf = (plan: TokenPlan): PlanCounts => ({
  visible: plan.visible.length,
  retained: plan.retained.length,
  thrown: plan.thrown.length,
});

/**
 * Checks that every cell of the grid stands in exactly one of the three lists.
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
}
