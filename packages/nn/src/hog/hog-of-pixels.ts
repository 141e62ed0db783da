import { ConfigError, type ImageSpec } from '@mimlab/core';
import type { PatchSize } from '../images/patchify.js';
import { orientationBin, orientationEdges } from './orientation-bins.js';

/** Gradients of an image in bins, at every pixel and channel, [H, W, C]. */
export interface Orientations {
  readonly image: ImageSpec;
  readonly bins: number;
  readonly magnitude: Float64Array;
  readonly bin: Uint16Array;
}

/** Offsets added to the two filter outputs; zero unless given. */
export type HogBias = readonly [x: number, y: number];

/**
 * Bins and magnitudes of the gradients of each channel (LocalMIM specification, section 1.3, steps 1 to 4): 3 x 3
 * correlations with column weights 1 2 1 for left minus right and top minus bottom, the border reflected without
 * repeating the edge. In double precision, so pixels that are whole numbers give exact gradients.
 * @param pixels [H, W, C]
 */
export function orientationsOf(pixels: ArrayLike<number>, image: ImageSpec, bins: number, bias: HogBias = [0, 0]): Orientations {
  const { height, width, channels } = image;
  checkReflectable(image);
  const edges = orientationEdges(bins);
  const magnitude = new Float64Array(height * width * channels);
  const bin = new Uint16Array(magnitude.length);
  for (let y = 0, at = 0; y < height; y++) {
    const above = (y === 0 ? 1 : y - 1) * width;
    const here = y * width;
    const below = (y === height - 1 ? height - 2 : y + 1) * width;
    for (let x = 0; x < width; x++) {
      const left = x === 0 ? 1 : x - 1;
      const right = x === width - 1 ? width - 2 : x + 1;
      for (let c = 0; c < channels; c++, at++) {
        const p = (row: number, column: number): number => pixels[(row + column) * channels + c] as number;
        // One side's sum minus the other's, in this order: equal sides cancel to exactly zero.
        const gx = p(above, left) + 2 * p(here, left) + p(below, left) - (p(above, right) + 2 * p(here, right) + p(below, right)) + bias[0];
        const gy = p(above, left) + 2 * p(above, x) + p(above, right) - (p(below, left) + 2 * p(below, x) + p(below, right)) + bias[1];
        magnitude[at] = Math.sqrt(gx * gx + gy * gy);
        bin[at] = orientationBin(gx, gy, edges);
      }
    }
  }
  return { image, bins, magnitude, bin };
}

/** Norms below this count as zero: the histogram of a flat cell stays zero. */
export const HOG_FLOOR = 1e-12;

/**
 * Histograms of oriented gradients over cells: mean magnitude of each bin, scaled to unit length channel by channel.
 * No interpolation between bins or cells, no normalisation over blocks (steps 5 to 7).
 * @returns [rows, columns, C * bins] with all bins of the first channel first
 * @throws ConfigError if the cells do not divide the image.
 */
export function hogOfCells({ image, bins, magnitude, bin }: Orientations, cell: PatchSize): Float32Array {
  const { rows, columns } = hogGrid(image, cell);
  const { width, channels } = image;
  const histograms = new Float64Array(rows * columns * channels * bins);
  for (let y = 0, at = 0; y < image.height; y++) {
    const row = Math.floor(y / cell.height) * columns;
    for (let x = 0; x < width; x++) {
      const first = (row + Math.floor(x / cell.width)) * channels;
      for (let c = 0; c < channels; c++, at++) {
        const place = (first + c) * bins + (bin[at] as number);
        histograms[place] = (histograms[place] as number) + (magnitude[at] as number);
      }
    }
  }
  const area = cell.height * cell.width;
  const out = new Float32Array(histograms.length);
  for (let first = 0; first < out.length; first += bins) {
    let squares = 0;
    for (let k = first; k < first + bins; k++) squares += ((histograms[k] as number) / area) ** 2;
    const norm = Math.max(Math.sqrt(squares), HOG_FLOOR) * area;
    for (let k = first; k < first + bins; k++) out[k] = (histograms[k] as number) / norm;
  }
  return out;
}

/** Cells of an image. @throws ConfigError if they do not divide it. */
export function hogGrid({ height, width }: ImageSpec, cell: PatchSize): { readonly rows: number; readonly columns: number } {
  const rows = height / cell.height;
  const columns = width / cell.width;
  if (Number.isInteger(rows) && Number.isInteger(columns)) return { rows, columns };
  throw new ConfigError(`an image of ${height} x ${width} cannot be cut into HOG cells of ${cell.height} x ${cell.width}`, {
    place: 'scales',
    remedy: 'Choose scales whose cells divide the image.',
  });
}

/** @throws ConfigError if there is nothing to reflect at the border. */
export function checkReflectable({ height, width }: ImageSpec): void {
  if (height >= 2 && width >= 2) return;
  throw new ConfigError(`gradients need at least 2 x 2 pixels, the image has ${height} x ${width}`, { place: 'size', remedy: 'Use larger images.' });
}
