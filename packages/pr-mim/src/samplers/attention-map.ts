import type { Crop, Grid } from '@mimlab/core';

/**
 * AMT's stored weights of one image (arXiv:2211.15362): the class token's attention, each head shifted and scaled to
 * 0..1, then the mean over the heads. A head that attends to all tokens alike counts as 0.
 * @param attention_hN softmax attention to the N tokens, [heads, N]
 */
export function storedWeights(attention_hN: Float32Array, heads: number): Float32Array {
  const cells = attention_hN.length / heads;
  const means = new Float64Array(cells);
  for (let head = 0; head < heads; head++) {
    const row = attention_hN.subarray(head * cells, (head + 1) * cells);
    const least = row.reduce((low, value) => Math.min(low, value), Infinity);
    const range = row.reduce((high, value) => Math.max(high, value), -Infinity) - least;
    if (range > 0) row.forEach((value, cell) => (means[cell] = (means[cell] as number) + (value - least) / range / heads));
  }
  return Float32Array.from(means);
}

/** How the map of a whole image becomes the weights of a crop's tokens. */
export type MapCrop = 'crop' | 'released';

/**
 * Weights of the tokens of a crop, raster order.
 *
 * `crop`: the mean of the map over the part of the image that the token shows. `released`: what the released code does
 * instead; it divides the crop's corners by the size of the image, so that whatever the crop, two rows and columns of
 * the map's top left corner (three where the crop touches the far edge) are blown up over the tokens.
 * @param map weights of the whole image on the same grid
 */
export function tokenWeights(map: Float32Array, grid: Grid, crop: Crop, mapCrop: MapCrop): Float64Array {
  const taps = mapCrop === 'crop' ? overlaps : releasedTaps;
  const rows = taps(grid.rows, crop.top, crop.height, crop.sourceHeight);
  const columns = taps(grid.columns, crop.left, crop.width, crop.sourceWidth);
  const weights = new Float64Array(grid.rows * grid.columns);
  rows.forEach((rowTaps, row) => {
    columns.forEach((columnTaps, column) => {
      let sum = 0;
      for (const [r, down] of rowTaps) for (const [c, right] of columnTaps) sum += down * right * (map[r * grid.columns + c] as number);
      weights[row * grid.columns + (crop.flip ? grid.columns - 1 - column : column)] = sum;
    });
  });
  return weights;
}

/** Places of the map along one side that an output place averages over, with their shares. */
type Taps = readonly (readonly [place: number, share: number])[];

/** The output's place `i` shows `start + extent * [i, i + 1] / side` of `source`, measured here in places of the map. */
function overlaps(side: number, start: number, extent: number, source: number): Taps[] {
  const step = extent / source;
  return Array.from({ length: side }, (_, i) => {
    const from = (start * side) / source + step * i;
    const to = from + step;
    const shares: [number, number][] = [];
    for (let place = Math.floor(from); place < Math.ceil(to); place++) {
      const share = (Math.min(to, place + 1) - Math.max(from, place)) / step;
      // What rounding alone pushes over an edge is nothing.
      if (share > 1e-9) shares.push([mirrored(place, side), share]);
    }
    return shares;
  });
}

/** Over the edges a crop shows the image reflected. */
const mirrored = (place: number, side: number): number => Math.min(side - 1, Math.max(0, place < 0 ? -1 - place : place >= side ? 2 * side - 1 - place : place));

/** Points along a side of a token at which the blown-up corner is read; the pixels of a token in the released code. */
const POINTS = 16;

/** Bilinear with half-pixel centres from the first two or three places to `side * POINTS`, averaged over each token. */
function releasedTaps(side: number, start: number, extent: number, source: number): Taps[] {
  const length = Math.min(side, Math.floor((start + extent) / source) + 2);
  return Array.from({ length: side }, (_, i) => {
    const shares = new Float64Array(length);
    for (let point = 0; point < POINTS; point++) {
      const at = Math.min(length - 1, Math.max(0, ((i * POINTS + point + 0.5) * length) / (side * POINTS) - 0.5));
      const low = Math.floor(at);
      const high = Math.min(length - 1, low + 1);
      shares[low] = (shares[low] as number) + (1 - (at - low)) / POINTS;
      shares[high] = (shares[high] as number) + (at - low) / POINTS;
    }
    return [...shares].map((share, place) => [place, share] as const);
  });
}
