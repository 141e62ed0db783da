import { cellsOf, ConfigError, visibleCount, type Grid, type PlanCounts, type Sampler } from '@mimlab/core';

/**
 * Token ids by ascending noise, equal noise by id: one sort from which both the order and its inverse follow.
 */
export const orderFromNoise = (noise: ArrayLike<number>): Int32Array =>
  Int32Array.from({ length: noise.length }, (_, id) => id).sort((a, b) => (noise[a] as number) - (noise[b] as number) || a - b);

/**
 * MAE's random masking: uniform noise a token, the tokens of least noise stay visible, in noise order, the others are
 * masked, in noise order as well. V = floor(N * (1 - maskRatio)). Source: official MAE, models_mae.py, random_masking.
 */
export function randomMasking({ maskRatio }: { readonly maskRatio: number }): Sampler {
  const counts = (grid: Grid): PlanCounts => {
    const cells = cellsOf(grid);
    const visible = visibleCount(cells, maskRatio);
    const refuse = (problem: string, remedy: string): never => {
      throw new ConfigError(`a mask ratio of ${maskRatio} on ${cells} tokens leaves no ${problem}`, { place: 'maskRatio', remedy });
    };
    if (visible >= cells) refuse('token masked, so there is nothing to reconstruct', `Choose a ratio of at least ${1 / cells}.`);
    if (visible < 1) refuse('token visible', `Choose a ratio of at most ${1 - 1 / cells}.`);
    return { visible, retained: cells - visible, thrown: 0 };
  };
  return {
    scope: 'image',
    counts,
    sample({ grid, streams }) {
      const { visible } = counts(grid);
      const order = orderFromNoise(Float64Array.from({ length: cellsOf(grid) }, () => streams.mask.uniform()));
      return { grid, visible: order.slice(0, visible), retained: order.slice(visible), thrown: new Int32Array(0) };
    },
  };
}
