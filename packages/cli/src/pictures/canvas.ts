import { writeFileAtomically } from '@mimlab/train';
import sharp from 'sharp';
import { eachDot, GLYPH, textWidth } from './pixel-font.js';

export type Colour = readonly [red: number, green: number, blue: number];

/** An RGB picture in memory: uint8, row-major. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

export function createCanvas(width: number, height: number, [red, green, blue]: Colour): Canvas {
  const pixels = new Uint8Array(width * height * 3);
  for (let at = 0; at < pixels.length; at += 3) pixels.set([red, green, blue], at);
  return { width, height, pixels };
}

export function fillRect(canvas: Canvas, left: number, top: number, width: number, height: number, colour: Colour): void {
  for (let y = Math.max(0, top); y < Math.min(canvas.height, top + height); y++) {
    for (let x = Math.max(0, left); x < Math.min(canvas.width, left + width); x++) canvas.pixels.set(colour, (y * canvas.width + x) * 3);
  }
}

/** Writes in the dot font, `scale` pixels a dot. `align` says what `left` is of the text. */
export function drawText(canvas: Canvas, text: string, left: number, top: number, colour: Colour, scale = 1, align: 'left' | 'centre' = 'left'): void {
  const start = align === 'left' ? left : Math.round(left - (textWidth(text) * scale) / 2);
  eachDot(text, (x, y) => {
    fillRect(canvas, start + x * scale, top + y * scale, scale, scale, colour);
  });
}

/** Height of a line of text in pixels. */
export const lineHeight = (scale: number): number => GLYPH.height * scale;

/**
 * Draws an image of one or three channels, every pixel `scale` pixels wide.
 * @param image uint8, [height, width, channels]
 */
export function drawImage(canvas: Canvas, image: { readonly height: number; readonly width: number; readonly channels: number; readonly pixels: Uint8Array }, left: number, top: number, scale: number): void {
  const { height, width, channels, pixels } = image;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * channels;
      const value = (channel: number): number => pixels[at + (channels === 1 ? 0 : channel)] as number;
      fillRect(canvas, left + x * scale, top + y * scale, scale, scale, [value(0), value(1), value(2)]);
    }
  }
}

/** Writes a PNG file, whole or not at all. @throws TrainingError naming the path if it cannot be written */
export async function writePng({ pixels, width, height }: Canvas, path: string): Promise<void> {
  await writeFileAtomically(path, await sharp(pixels, { raw: { width, height, channels: 3 } }).png({ compressionLevel: 9 }).toBuffer());
}
