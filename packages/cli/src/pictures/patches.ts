import type { Grid, ImageSpec, PixelStatistics } from '@mimlab/core';

/** Values of every cell, cell after cell in raster order; inside a cell pixel row, pixel column, channel. */
export interface PatchValues {
  readonly data: Float32Array;
  /** Values of one cell. */
  readonly each: number;
}

interface Layout {
  readonly image: ImageSpec;
  readonly grid: Grid;
}

/** For each value of the patches (cell after cell) its place in the image [H, W, C]. */
export function patchPlaces({ image, grid }: Layout): Int32Array {
  const { height, width, channels } = image;
  const [patchHeight, patchWidth] = [height / grid.rows, width / grid.columns];
  const places = new Int32Array(height * width * channels);
  let at = 0;
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      for (let p = 0; p < patchHeight; p++) {
        for (let q = 0; q < patchWidth; q++) {
          for (let c = 0; c < channels; c++) places[at++] = ((row * patchHeight + p) * width + column * patchWidth + q) * channels + c;
        }
      }
    }
  }
  return places;
}

/** Cuts an image [H, W, C] into patches: what targets on pixels look like before any normalisation by patch. */
export function patchify(image: ArrayLike<number>, layout: Layout): PatchValues {
  const places = patchPlaces(layout);
  return { data: Float32Array.from(places, (place) => image[place] as number), each: places.length / (layout.grid.rows * layout.grid.columns) };
}

/** The inverse of `patchify`. */
export function unpatchify({ data }: PatchValues, layout: Layout): Float32Array {
  const image = new Float32Array(data.length);
  patchPlaces(layout).forEach((place, at) => {
    image[place] = data[at] as number;
  });
  return image;
}

/** uint8 pixels to normalised ones, as inside a step. */
export const normalise = (pixels: Uint8Array, { mean, std }: PixelStatistics): Float32Array =>
  Float32Array.from(pixels, (value, at) => (value / 255 - (mean[at % mean.length] as number)) / (std[at % std.length] as number));

/** The inverse of `normalise`, clipped to what a picture can show. */
export const denormalise = (values: Float32Array, { mean, std }: PixelStatistics): Uint8Array =>
  Uint8Array.from(values, (value, at) => {
    const pixel = 255 * (value * (std[at % std.length] as number) + (mean[at % mean.length] as number));
    return Math.min(255, Math.max(0, Math.round(pixel)));
  });

/** Mean and deviation of each cell, over all its values. */
export interface PatchStatistics {
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

/** MAE's patch normalisation: unbiased variance, 1e-6 inside the root (official models_mae.py, forward_loss). */
export function patchStatistics({ data, each }: PatchValues): PatchStatistics {
  const cells = data.length / each;
  const mean = new Float64Array(cells);
  const std = new Float64Array(cells);
  for (let cell = 0; cell < cells; cell++) {
    let sum = 0;
    for (let i = 0; i < each; i++) sum += data[cell * each + i] as number;
    const average = sum / each;
    let squares = 0;
    for (let i = 0; i < each; i++) squares += ((data[cell * each + i] as number) - average) ** 2;
    mean[cell] = average;
    std[cell] = Math.sqrt(squares / Math.max(1, each - 1) + 1e-6);
  }
  return { mean, std };
}

/**
 * Guesses mean and deviation of hidden cells from visible ones alone: averages weighted by the inverse squared distance
 * on the grid. The hidden cells' own statistics would give half of the answer away.
 */
export function visibleStatistics(own: PatchStatistics, visible: Int32Array, grid: Grid): PatchStatistics {
  const cells = grid.rows * grid.columns;
  const mean = new Float64Array(cells);
  const std = new Float64Array(cells);
  for (let cell = 0; cell < cells; cell++) {
    let [weights, means, stds] = [0, 0, 0];
    for (const seen of visible) {
      const rows = Math.floor(cell / grid.columns) - Math.floor(seen / grid.columns);
      const columns = (cell % grid.columns) - (seen % grid.columns);
      const weight = 1 / Math.max(0.01, rows * rows + columns * columns);
      weights += weight;
      means += weight * (own.mean[seen] as number);
      stds += weight * (own.std[seen] as number);
    }
    mean[cell] = means / weights;
    std[cell] = stds / weights;
  }
  return { mean, std };
}

/** Undoes the normalisation of every patch with the statistics given. */
export const denormalisePatches = ({ data, each }: PatchValues, { mean, std }: PatchStatistics): PatchValues => ({
  data: data.map((value, at) => value * (std[Math.floor(at / each)] as number) + (mean[Math.floor(at / each)] as number)),
  each,
});
