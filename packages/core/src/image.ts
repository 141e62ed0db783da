/** Size of the images a run works on, after augmentation. Pixels; `channels` is 1 or 3 for the built-in data sets. */
export interface ImageSpec {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** The token grid. Cell id = row * columns + column. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
}

export const cellsOf = (grid: Grid): number => grid.rows * grid.columns;

/** Mean and deviation of a data set for each channel, on the scale 0..1. */
export interface PixelStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}
