import { cellsOf, type Grid } from '@mimlab/core';

/** How the tokens of a grid are cut into square windows, inside which they attend to one another. */
export interface Windows {
  /** Side of a window. */
  readonly side: number;
  /** Windows of an image. */
  readonly count: number;
  /** Cell ids window by window, windows in raster order of the rolled grid, tokens in raster order inside: [count * side^2]. */
  readonly order: Int32Array;
  /** Place in `order` of every cell. */
  readonly inverse: Int32Array;
  /** Added to the scores, [count, side^2, side^2]: -100 between tokens that only the roll brought together. Absent without shift. */
  readonly mask?: Float32Array;
}

/** What keeps rolled strangers apart. Enough in float32, and harmless in half precision. */
const APART = -100;

/**
 * Windows of side `side` on a grid rolled up and left by `shift`: the token at (r, c) of the rolled grid is that of
 * (r + shift, c + shift), cyclically. Sides of the grid are multiples of the window.
 * Source: official Swin, SwinTransformerBlock (SimMIM specification, section 3.2).
 */
export function windowsOf(grid: Grid, side: number, shift: number): Windows {
  const { rows, columns } = grid;
  const across = columns / side;
  const area = side * side;
  const order = new Int32Array(cellsOf(grid));
  const inverse = new Int32Array(order.length);
  const regions = new Int32Array(order.length);
  // The rolled grid falls into three strips either way: whole windows, the part before the seam, the part behind it.
  const strip = (at: number, length: number): number => (at < length - side ? 0 : at < length - shift ? 1 : 2);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const window = Math.floor(r / side) * across + Math.floor(c / side);
      const place = window * area + (r % side) * side + (c % side);
      const cell = ((r + shift) % rows) * columns + ((c + shift) % columns);
      order[place] = cell;
      inverse[cell] = place;
      regions[place] = 3 * strip(r, rows) + strip(c, columns);
    }
  }
  const count = cellsOf(grid) / area;
  if (shift === 0) return { side, count, order, inverse };
  const mask = new Float32Array(count * area * area);
  for (let query = 0; query < count * area; query++) {
    const first = query - (query % area);
    for (let key = 0; key < area; key++) if (regions[query] !== regions[first + key]) mask[query * area + key] = APART;
  }
  return { side, count, order, inverse, mask };
}

/** Side of the windows and shift of a block: where the grid is no larger than the window, there is one window and no shift. */
export function blockWindow({ rows, columns }: Grid, window: number, block: number): { readonly side: number; readonly shift: number } {
  const shorter = Math.min(rows, columns);
  if (shorter <= window) return { side: shorter, shift: 0 };
  return { side: window, shift: block % 2 === 0 ? 0 : Math.floor(window / 2) };
}
