import { CheckpointError, type Grid } from '@mimlab/core';
import { splineWeights } from './cubic-spline.js';
import { relativeTableRows } from './relative-index.js';

/**
 * Offsets of a source table on the scale of the target: 0 in the middle, outwards geometrically growing steps, whose
 * ratio makes the outermost offset fall on the target's.
 */
export function geometricOffsets(source: number, target: number): number[] {
  const half = Math.floor(source / 2);
  const reach = Math.floor(target / 2);
  let [left, right, ratio] = [1.01, 1.5, 1.01];
  while (right - left > 1e-6) {
    ratio = (left + right) / 2;
    const extent = (1 - ratio ** half) / (1 - ratio);
    if (extent > reach) right = ratio;
    else left = ratio;
  }
  const outwards: number[] = [];
  for (let i = 0, at = 0; i < half; i++) outwards.push((at += ratio ** i));
  return [...outwards.map((offset) => -offset).reverse(), 0, ...outwards];
}

/**
 * A table of relative positions for a window or grid of another size, by cubic splines over geometrically spaced offsets;
 * the rows of a class token are carried over. Done when weights meet images or windows they were not trained on.
 * Source: official SimMIM, utils.py, remap_pretrained_keys_swin and _vit (SimMIM specification, section 4.4).
 * @param table [rows, heads], row-major
 * @param cls whether both tables end with the three rows of a class token
 * @throws CheckpointError if the table does not belong to the source's size.
 */
export function resizeRelativeTable(table: Float32Array, source: Grid, target: Grid, heads: number, cls: boolean): Float32Array {
  const rows = relativeTableRows(source, cls);
  if (table.length !== rows * heads) {
    throw new CheckpointError(`a table of ${table.length / heads} relative positions does not belong to ${source.rows} x ${source.columns} tokens, which have ${rows}`, {
      place: 'relative_position_bias_table',
      remedy: 'Give the size that the weights were trained with; tables of grids that are not square cannot be told apart by their length.',
    });
  }
  if (source.rows === target.rows && source.columns === target.columns) return table.slice();
  const axis = (from: number, to: number): Float64Array[] => {
    const [a, b] = [2 * from - 1, 2 * to - 1];
    return splineWeights(geometricOffsets(a, b), Array.from({ length: b }, (_, i) => i - Math.floor(b / 2)));
  };
  const down = axis(source.rows, target.rows);
  const across = axis(source.columns, target.columns);
  const [width, newWidth] = [2 * source.columns - 1, across.length];
  const out = new Float32Array(relativeTableRows(target, cls) * heads);
  for (let head = 0; head < heads; head++) {
    // Columns first, into as many rows as the source has.
    const half = Array.from({ length: 2 * source.rows - 1 }, (_, y) => across.map((weights) => weights.reduce((sum, weight, x) => sum + weight * (table[(y * width + x) * heads + head] as number), 0)));
    down.forEach((weights, y) => {
      for (let x = 0; x < newWidth; x++) out[(y * newWidth + x) * heads + head] = weights.reduce((sum, weight, from) => sum + weight * (half[from]?.[x] as number), 0);
    });
  }
  if (cls) out.set(table.subarray(table.length - 3 * heads), out.length - 3 * heads);
  return out;
}
