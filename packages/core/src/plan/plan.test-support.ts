import fc from 'fast-check';
import { randomStream } from '../random/stream.js';
import type { TokenPlan } from './token-plan.js';

/** A plan of a grid with the given counts; the rest is thrown. */
export function anyPlan(rows: number, columns: number, visible: number, retained: number, seed: number): TokenPlan {
  const order = randomStream(seed).permutation(rows * columns);
  return {
    grid: { rows, columns },
    visible: order.slice(0, visible),
    retained: order.slice(visible, visible + retained),
    thrown: order.slice(visible + retained).sort(),
  };
}

/** Batches of plans that share grid and counts. */
export const planBatches = fc
  .record({ rows: fc.integer({ min: 1, max: 5 }), columns: fc.integer({ min: 1, max: 5 }), batch: fc.integer({ min: 1, max: 4 }), seed: fc.nat(), split: fc.tuple(fc.nat(), fc.nat()) })
  .map(({ rows, columns, batch, seed, split }) => {
    const visible = split[0] % (rows * columns + 1);
    const retained = split[1] % (rows * columns - visible + 1);
    return Array.from({ length: batch }, (_, b) => anyPlan(rows, columns, visible, retained, seed + b));
  });
