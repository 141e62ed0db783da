import { cellsOf, DataError, type Grid } from '@mimlab/core';

/** Weight of a source sample at distance `x`: Keys' cubic kernel with a = -0.75, as PyTorch's bicubic interpolation has it. */
function cubic(x: number): number {
  const a = -0.75;
  const d = Math.abs(x);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return 0;
}

/** For each target place the four source places (clamped at the border) and their weights. */
function taps(from: number, to: number): { readonly place: number; readonly weight: number }[][] {
  return Array.from({ length: to }, (_, target) => {
    const source = ((target + 0.5) * from) / to - 0.5;
    const base = Math.floor(source);
    return [-1, 0, 1, 2].map((shift) => ({
      place: Math.min(Math.max(base + shift, 0), from - 1),
      weight: cubic(source - (base + shift)),
    }));
  });
}

/**
 * Resizes a position table [front + N, width] to another grid: the `front` rows (class token) are copied, the others
 * interpolated bicubically with half-pixel centres, no antialiasing, clamped borders.
 * Source: official MAE, util/pos_embed.py, interpolate_pos_embed; any rectangular grid here.
 * @throws DataError if the table does not have the size the grid asks for.
 */
export function interpolatePositions(
  table: Float32Array,
  options: { readonly width: number; readonly from: Grid; readonly to: Grid; readonly front: number },
): Float32Array {
  const { width, from, to, front } = options;
  const expected = (front + cellsOf(from)) * width;
  if (table.length !== expected) {
    throw new DataError(`a position table for ${front} + ${from.rows} x ${from.columns} tokens of width ${width} has ${expected} values, this one has ${table.length}`, {
      place: 'position table',
    });
  }
  const out = new Float32Array((front + cellsOf(to)) * width);
  out.set(table.subarray(0, front * width));
  const rowTaps = taps(from.rows, to.rows);
  const columnTaps = taps(from.columns, to.columns);
  rowTaps.forEach((rows, row) => {
    columnTaps.forEach((columns, column) => {
      const sum = new Float64Array(width);
      for (const r of rows) {
        for (const c of columns) {
          const offset = (front + r.place * from.columns + c.place) * width;
          const weight = r.weight * c.weight;
          for (let i = 0; i < width; i++) sum[i] = (sum[i] as number) + weight * (table[offset + i] as number);
        }
      }
      out.set(sum, (front + row * to.columns + column) * width);
    });
  });
  return out;
}
