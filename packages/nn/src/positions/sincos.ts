import { cellsOf, ConfigError, type Grid } from '@mimlab/core';

/**
 * Which half of the vector stands for which axis. `mae`: column first, then row (the official MAE, whatever its
 * variable names say); `mmpretrain`: row first, then column.
 */
export type PositionLayout = 'mae' | 'mmpretrain';

/**
 * Sine-cosine position vectors of a grid, raster order, row-major [(1 +) N, width]. With omega_k = 10000^(-k / q),
 * q = width / 4, each half is the block of all sines followed by the block of all cosines (not interleaved). The class
 * token's row, if asked for, is zero and comes first. Computed in double precision, cast once.
 * Source: official MAE, util/pos_embed.py; mmpretrain, build_2d_sincos_position_embedding.
 * @throws ConfigError if the width is not divisible by 4.
 */
export function sincosPositions(width: number, grid: Grid, options: { readonly cls: boolean; readonly layout?: PositionLayout }): Float32Array {
  if (width % 4 !== 0) {
    throw new ConfigError(`sine-cosine positions need a width divisible by 4, got ${width}`, { place: 'width', remedy: 'Choose a multiple of 4.' });
  }
  const quarter = width / 4;
  const omega = Float64Array.from({ length: quarter }, (_, k) => 10000 ** (-k / quarter));
  const front = options.cls ? 1 : 0;
  const table = new Float32Array((front + cellsOf(grid)) * width);
  const write = (offset: number, position: number): void => {
    omega.forEach((frequency, k) => {
      table[offset + k] = Math.sin(position * frequency);
      table[offset + quarter + k] = Math.cos(position * frequency);
    });
  };
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      const offset = (front + row * grid.columns + column) * width;
      const [first, second] = options.layout === 'mmpretrain' ? [row, column] : [column, row];
      write(offset, first);
      write(offset + width / 2, second);
    }
  }
  return table;
}
