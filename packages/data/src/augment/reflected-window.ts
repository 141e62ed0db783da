import type { SourceImage } from '../contract.js';
import { resize, type Box, type ResizeFilter } from './resize.js';

export interface ReflectedWindowOptions {
  /** Size that the whole image is resized to. */
  readonly height: number;
  readonly width: number;
  /** Part of the resized image to cut out; it may reach over the edges by less than a side of the image. */
  readonly window: Box;
  readonly filter?: ResizeFilter;
}

/** The place of a pixel that lies over an edge: mirrored at the outermost pixel, which is not repeated. */
const reflect = (place: number, side: number): number => (place < 0 ? -place : place >= side ? 2 * (side - 1) - place : place);

interface Places {
  /** Places of a window's rows or columns in the part of the image that holds them all. */
  readonly places: readonly number[];
  readonly first: number;
  readonly span: number;
  /** Whether the window stays within the image. */
  readonly inside: boolean;
}

function placesOf(start: number, count: number, side: number): Places {
  const places = Array.from({ length: count }, (_, i) => reflect(start + i, side));
  const first = Math.min(...places);
  return { places: places.map((place) => place - first), first, span: Math.max(...places) - first + 1, inside: start >= 0 && start + count <= side };
}

/**
 * Resizes an image, continues it by reflection and cuts a window out; only what the window shows is computed.
 * @returns uint8 [window height, window width, channels]
 */
export function reflectedWindow(source: SourceImage, { height, width, window, filter = 'bicubic' }: ReflectedWindowOptions): Uint8Array {
  const { channels } = source;
  const rows = placesOf(window.top, window.height, height);
  const columns = placesOf(window.left, window.width, width);
  const part = resize(source, { height, width, filter, window: { top: rows.first, left: columns.first, height: rows.span, width: columns.span } });
  if (rows.inside && columns.inside) return part;
  const out = new Uint8Array(window.height * window.width * channels);
  let at = 0;
  for (const row of rows.places) {
    for (const column of columns.places) {
      const from = (row * columns.span + column) * channels;
      for (let c = 0; c < channels; c++) out[at++] = part[from + c] as number;
    }
  }
  return out;
}
