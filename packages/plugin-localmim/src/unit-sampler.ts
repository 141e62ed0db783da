import { cellsOf, ConfigError, type Grid, type PlanCounts, type Sampler, type TokenPlan } from '@mimlab/core';

/**
 * How many of the mask units are hidden: the released code compares the places of a permutation, counted from 0, by "at
 * most" with the whole part of ratio times units, which hides one more than that.
 */
export const hiddenUnits = (units: number, maskRatio: number): number => Math.trunc(units * maskRatio) + 1;

/** The plan that a permutation of the units stands for: a unit is hidden if its number is among the lowest. Hidden units in this order, visible ones in raster order. */
export function planOfPermutation(grid: Grid, numbers: Int32Array, hidden: number): TokenPlan {
  const retained = new Int32Array(hidden);
  const visible: number[] = [];
  numbers.forEach((number, unit) => {
    if (number < hidden) retained[number] = unit;
    else visible.push(unit);
  });
  return { grid, visible: Int32Array.from(visible), retained, thrown: new Int32Array(0) };
}

/** One random mask of whole units for a micro-batch. Source: official LocalMIM, Swin version, mask of the encoder's forward pass. */
export function unitSampler({ maskRatio }: { readonly maskRatio: number }): Sampler {
  const counts = (grid: Grid): PlanCounts => {
    const units = cellsOf(grid);
    const retained = hiddenUnits(units, maskRatio);
    if (retained >= units) {
      throw new ConfigError(`a mask ratio of ${maskRatio} hides all ${units} mask units`, { place: 'maskRatio', remedy: 'Lower it, or use larger images.' });
    }
    return { visible: units - retained, retained, thrown: 0 };
  };
  return {
    scope: 'batch',
    counts,
    sample: ({ grid, streams }) => planOfPermutation(grid, streams.mask.permutation(cellsOf(grid)), counts(grid).retained),
  };
}
