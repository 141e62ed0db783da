import type { TokenPlan } from './token-plan.js';

/** How well a plan surrounds its thrown tokens, in grid steps (PR-MIM specification, section 6.4). */
export interface PlanGeometry {
  /** From each thrown token, in their order, to its nearest known one. */
  readonly distances: Float64Array;
  /** Mean and largest of `distances`. 0 where nothing is thrown. */
  readonly meanDistance: number;
  readonly maxDistance: number;
  /** Largest distance of a thrown token to its nearest *retained* one. */
  readonly cover: number;
  /** Smallest distance between two retained tokens; Infinity if there is one only. */
  readonly separation: number;
  /** Mean number of known tokens in the 3 x 3 square around a thrown one. */
  readonly knownAround: number;
  /** Thrown tokens without any known one in the s x s square around them, for s = 3, 5, 7. */
  readonly isolated: { readonly 3: number; readonly 5: number; readonly 7: number };
}

/** Measures one plan. Compares all pairs; for reports and tests, not for the loader. */
export function planGeometry({ grid: { columns }, visible, retained, thrown }: TokenPlan): PlanGeometry {
  const known = Int32Array.of(...visible, ...retained);
  const distances = new Float64Array(thrown.length);
  const isolated = { 3: 0, 5: 0, 7: 0 };
  let [cover, around] = [0, 0];
  thrown.forEach((cell, index) => {
    // Squared distances to the nearest known and retained token, and the smallest square that holds a known one.
    let [nearest, nearestRetained, reach] = [Infinity, Infinity, Infinity];
    known.forEach((other, position) => {
      const rows = Math.abs(Math.floor(cell / columns) - Math.floor(other / columns));
      const steps = Math.abs((cell % columns) - (other % columns));
      const squared = rows * rows + steps * steps;
      const side = Math.max(rows, steps);
      if (squared < nearest) nearest = squared;
      if (position >= visible.length && squared < nearestRetained) nearestRetained = squared;
      if (side < reach) reach = side;
      if (side <= 1) around++;
    });
    distances[index] = Math.sqrt(nearest);
    cover = Math.max(cover, Math.sqrt(nearestRetained));
    for (const side of [3, 5, 7] as const) if (reach > (side - 1) / 2) isolated[side]++;
  });
  const each = Math.max(thrown.length, 1);
  return {
    distances,
    meanDistance: distances.reduce((sum, distance) => sum + distance, 0) / each,
    maxDistance: distances.reduce((most, distance) => Math.max(most, distance), 0),
    cover,
    separation: separationOf(retained, columns),
    knownAround: around / each,
    isolated,
  };
}

function separationOf(retained: Int32Array, columns: number): number {
  let least = Infinity;
  retained.forEach((a, i) => {
    for (const b of retained.subarray(i + 1)) least = Math.min(least, (Math.floor(a / columns) - Math.floor(b / columns)) ** 2 + ((a % columns) - (b % columns)) ** 2);
  });
  return Math.sqrt(least);
}
