import type { Grid, TokenPlan } from '@mimlab/core';
import { createCanvas, drawImage, drawText, fillRect, lineHeight, type Canvas, type Colour } from './canvas.js';
import { textWidth } from './pixel-font.js';

/** uint8, [height, width, channels]. */
export interface PicturePixels {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly pixels: Uint8Array;
}

/** One row of the picture. */
export interface ReconstructionRow {
  readonly original: PicturePixels;
  /** Visible patches as they are, hidden ones as predicted. */
  readonly reconstruction: PicturePixels;
  readonly plan: TokenPlan;
}

const PAPER: Colour = [255, 255, 255];
const INK: Colour = [40, 40, 40];
const HIDDEN: Colour = [128, 128, 128];
/** Told apart by brightness as well as by hue. */
export const ROLE_COLOURS = { visible: [222, 222, 222], retained: [31, 119, 180], thrown: [255, 187, 90] } as const satisfies Record<string, Colour>;

const GAP = 6;
const SIDE_AT_LEAST = 112;

/** Fills the cells of a grid that a list names, over a picture of `side` pixels a source pixel. */
function fillCells(canvas: Canvas, cells: Int32Array, grid: Grid, left: number, top: number, width: number, height: number, colour: Colour): void {
  for (const cell of cells) {
    const row = Math.floor(cell / grid.columns);
    const column = cell % grid.columns;
    const [x0, x1] = [Math.round((column * width) / grid.columns), Math.round(((column + 1) * width) / grid.columns)];
    const [y0, y1] = [Math.round((row * height) / grid.rows), Math.round(((row + 1) * height) / grid.rows)];
    fillRect(canvas, left + x0, top + y0, x1 - x0, y1 - y0, colour);
  }
}

/**
 * Rows of: original, visible patches, map of retained and thrown tokens, reconstruction.
 * @param caption says what the reconstruction shows (space, statistics); written under the rows
 */
export function drawReconstructions(rows: readonly ReconstructionRow[], caption: readonly string[]): Canvas {
  const first = (rows[0] as ReconstructionRow).original;
  const scale = Math.max(1, Math.ceil(SIDE_AT_LEAST / first.width));
  const [width, height] = [first.width * scale, first.height * scale];
  const font = 1;
  const line = lineHeight(font) + 4;
  const heading = line + GAP;
  const legend = (caption.length + 1) * line + GAP;
  const captionWidth = Math.max(...caption.map((text) => textWidth(text) * font), 0) + 2 * GAP;
  const canvas = createCanvas(Math.max(4 * width + 5 * GAP, captionWidth), heading + rows.length * (height + GAP) + legend, PAPER);
  const left = (column: number): number => GAP + column * (width + GAP);

  ['original', 'visible', 'tokens', 'reconstruction'].forEach((title, column) => {
    drawText(canvas, title, left(column) + width / 2, GAP, INK, font, 'centre');
  });
  rows.forEach(({ original, reconstruction, plan }, index) => {
    const top = heading + index * (height + GAP);
    const { grid, visible, retained, thrown } = plan;
    drawImage(canvas, original, left(0), top, scale);
    drawImage(canvas, original, left(1), top, scale);
    for (const hidden of [retained, thrown]) fillCells(canvas, hidden, grid, left(1), top, width, height, HIDDEN);
    for (const [role, cells] of Object.entries({ visible, retained, thrown })) {
      fillCells(canvas, cells, grid, left(2), top, width, height, ROLE_COLOURS[role as keyof typeof ROLE_COLOURS]);
    }
    drawImage(canvas, reconstruction, left(3), top, scale);
  });

  let y = heading + rows.length * (height + GAP) + 2;
  let x = GAP;
  for (const [role, colour] of Object.entries(ROLE_COLOURS)) {
    fillRect(canvas, x, y, lineHeight(font), lineHeight(font), colour);
    drawText(canvas, role, x + lineHeight(font) + 4, y, INK, font);
    x += lineHeight(font) + 4 + textWidth(role) * font + 3 * GAP;
  }
  for (const text of caption) {
    y += line;
    drawText(canvas, text, GAP, y, INK, font);
  }
  return canvas;
}
