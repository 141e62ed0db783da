import type { TokenPlan } from '@mimlab/core';

/** How well a plan surrounds its thrown tokens, in grid steps (PR-MIM specification, section 6.4). */
export interface PlanGeometry {
  /** From a thrown token to its nearest known one: mean and largest. 0 where nothing is thrown. */
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
  const offset = (a: number, b: number): readonly [number, number] => [Math.floor(a / columns) - Math.floor(b / columns), (a % columns) - (b % columns)];
  const distance = (a: number, b: number): number => Math.hypot(...offset(a, b));
  const known = [...visible, ...retained];
  const isolated = { 3: 0, 5: 0, 7: 0 };
  let sum = 0;
  let maxDistance = 0;
  let cover = 0;
  let around = 0;
  for (const cell of thrown) {
    const nearest = known.reduce((best, other) => Math.min(best, distance(cell, other)), Infinity);
    const reaches = known.map((other) => Math.max(...offset(cell, other).map(Math.abs)));
    const reach = reaches.reduce((least, r) => Math.min(least, r), Infinity);
    sum += nearest;
    maxDistance = Math.max(maxDistance, nearest);
    cover = Math.max(cover, retained.reduce((best, other) => Math.min(best, distance(cell, other)), Infinity));
    around += reaches.filter((r) => r <= 1).length;
    for (const side of [3, 5, 7] as const) if (reach > (side - 1) / 2) isolated[side]++;
  }
  let separation = Infinity;
  retained.forEach((a, i) => {
    for (const b of retained.subarray(i + 1)) separation = Math.min(separation, distance(a, b));
  });
  const each = Math.max(thrown.length, 1);
  return { meanDistance: sum / each, maxDistance, cover, separation, knownAround: around / each, isolated };
}
