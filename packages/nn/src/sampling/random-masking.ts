import { cellsOf, ConfigError, visibleCount, type Grid, type PlanCounts, type Sampler } from '@mimlab/core';

/**
 * Token ids by ascending noise, equal noise by id: one sort from which both the order and its inverse follow.
 * Fast for noise that is uniform in [0, 1), as a masker's is: dealt into as many drawers as there are tokens it is nearly
 * sorted, and what is left to do is a few swaps of neighbours. Right for any numbers.
 */
export function orderFromNoise(noise: ArrayLike<number>): Int32Array {
  const count = noise.length;
  const drawerOf = (id: number): number => Math.min(count - 1, Math.max(0, Math.floor((noise[id] as number) * count)));
  const ends = new Int32Array(count);
  for (let id = 0; id < count; id++) {
    const drawer = drawerOf(id);
    ends[drawer] = (ends[drawer] as number) + 1;
  }
  for (let drawer = 1; drawer < count; drawer++) ends[drawer] = (ends[drawer] as number) + (ends[drawer - 1] as number);
  const order = new Int32Array(count);
  for (let id = count - 1; id >= 0; id--) {
    const drawer = drawerOf(id);
    const place = (ends[drawer] as number) - 1;
    ends[drawer] = place;
    order[place] = id;
  }
  for (let place = 1; place < count; place++) {
    const id = order[place] as number;
    const value = noise[id] as number;
    let at = place;
    for (; at > 0; at--) {
      const before = order[at - 1] as number;
      if (!((noise[before] as number) > value)) break;
      order[at] = before;
    }
    order[at] = id;
  }
  return order;
}

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
      const noise = new Float64Array(cellsOf(grid));
      for (let id = 0; id < noise.length; id++) noise[id] = streams.mask.uniform();
      const order = orderFromNoise(noise);
      return { grid, visible: order.slice(0, visible), retained: order.slice(visible), thrown: new Int32Array(0) };
    },
  };
}
