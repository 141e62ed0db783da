import { ConfigError, type Grid } from '@mimlab/core';
import type { PickContext, Picker } from './picker.js';

/** Phases of the cell; one is drawn for each image. */
export const PHASES = 4;

/**
 * Places of the 2 x 2 cell that are withheld: floor(4 * ratio), one to three.
 * @throws ConfigError if that is none or all.
 */
export function withheldPlaces(ratio: number, place: string): number {
  const places = Math.floor(4 * ratio + 1e-9);
  if (places >= 1 && places <= 3) return places;
  throw new ConfigError(`a ratio of ${ratio} withholds ${places} of the 4 places of a running cell`, {
    place,
    remedy: 'Choose at least 0.25 and less than 1; the ratio is rounded down to quarters.',
  });
}

/**
 * VideoMAE V2's running cell (arXiv:2303.16727): a queue of `places` ones and then zeros, turned by one place for every
 * frame and read into a 2 x 2 cell row by row. 1 is withheld from the decoder.
 * @param phase place of the queue's pointer before the first frame, 0 to 3
 * @param frame 0 for an image
 */
export const runningCell = (places: number, phase: number, frame = 0): readonly number[] =>
  [0, 1, 2, 3].map((place) => ((place + phase + 1 + frame) % PHASES < places ? 1 : 0));

/** The cell laid over a whole grid: 1 where tokens are withheld, raster order. Grids with odd sides cut it off. */
export function withheldCells({ rows, columns }: Grid, cell: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: rows * columns }, (_, id) => cell[2 * (Math.floor(id / columns) % 2) + ((id % columns) % 2)] as number);
}

/**
 * The running cell with the counts of the other samplers: masked tokens that the cell keeps come first, in random order,
 * then masked tokens that it withholds.
 * @param ratio share of the grid that the cell withholds; it decides the pattern, not the counts
 */
export function runningCellPicker(ratio: number): Picker {
  const places = withheldPlaces(ratio, 'pr-mim.cellRatio');
  return ({ grid, masked, keep, random }: PickContext): Int32Array => {
    const withheld = withheldCells(grid, runningCell(places, random.int(PHASES)));
    const order = random.permutation(masked.length);
    const isWithheld = (position: number): boolean => withheld[masked[position] as number] === 1;
    const kept = order.filter((position) => !isWithheld(position));
    const others = order.filter(isWithheld);
    return Int32Array.from([...kept, ...others].slice(0, keep));
  };
}
