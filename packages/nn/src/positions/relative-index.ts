import { cellsOf, type Grid } from '@mimlab/core';

/** Entries of a table of relative positions: (2 rows - 1)(2 columns - 1) offsets, and three more where a class token takes part. */
export const relativeTableRows = ({ rows, columns }: Grid, cls: boolean): number => (2 * rows - 1) * (2 * columns - 1) + (cls ? 3 : 0);

/**
 * Which entry of the table belongs to query i and key j: with (dr, dc) the offset of cell i from cell j it is
 * (dr + rows - 1)(2 columns - 1) + dc + columns - 1. With a class token, which stands first, the three last entries are
 * class to patch, patch to class, class to class.
 * Source: official Swin (WindowAttention) and BEiT as SimMIM uses it (RelativePositionBias).
 * @returns [n * n], n = N, or N + 1 with class token
 */
export function relativeIndex(grid: Grid, cls: boolean): Int32Array {
  const { rows, columns } = grid;
  const front = cls ? 1 : 0;
  const cells = cellsOf(grid);
  const tokens = front + cells;
  const offsets = relativeTableRows(grid, false);
  const index = new Int32Array(tokens * tokens);
  for (let i = 0; i < cells; i++) {
    for (let j = 0; j < cells; j++) {
      const down = Math.floor(i / columns) - Math.floor(j / columns) + rows - 1;
      const right = (i % columns) - (j % columns) + columns - 1;
      index[(front + i) * tokens + front + j] = down * (2 * columns - 1) + right;
    }
  }
  if (cls) {
    index.fill(offsets, 1, tokens);
    for (let i = 1; i < tokens; i++) index[i * tokens] = offsets + 1;
    index[0] = offsets + 2;
  }
  return index;
}
