import { cellsOf, CompositionError, ConfigError, type Grid, type PlanCounts, type Sampler } from '@mimlab/core';
import { dividedCounts } from './throwing-sampler.js';
import { PHASES, runningCell, withheldCells, withheldPlaces } from './samplers/running-cell.js';

/**
 * VideoMAE V2's decoder mask for images as released (arXiv:2303.16727): the decoder gets a mask token for every cell
 * that the running cell keeps, also for those the encoder saw; the loss is over kept cells that were masked. Images differ
 * in how many those are, but V and the number of mask tokens do not.
 * @param ratio share of the grid that is withheld, rounded down to quarters; 0 leaves the method as it is
 */
export function runningCellSampler(inner: Sampler, ratio: number): Sampler {
  const masked = (grid: Grid): PlanCounts => dividedCounts(inner, grid, { rule: { throw: 0, throwBase: 'all', throwRounding: 'floor' } });
  const counts = (grid: Grid): PlanCounts => {
    const { visible, retained } = masked(grid);
    if (ratio === 0) return { visible, retained, thrown: 0 };
    const places = withheldPlaces(ratio, 'pr-mim.throw');
    const cells = cellsOf(grid);
    const kept = (cells / 4) * (4 - places);
    if (grid.rows % 2 !== 0 || grid.columns % 2 !== 0) {
      throw new CompositionError(`a grid of ${grid.rows} x ${grid.columns} tokens cannot be tiled by cells of 2 x 2`, {
        place: 'pr-mim.variant',
        remedy: 'Set variant: count-matched, which cuts the cells off at the edge, or choose an image with even sides in tokens.',
      });
    }
    if (kept <= visible || visible + kept >= cells) {
      const sequence = `${visible} visible tokens and ${kept} mask tokens for a grid of ${cells}`;
      throw new ConfigError(kept <= visible ? `an image may be left without any retained token: ${sequence}` : `nothing would be saved: ${sequence}`, {
        place: 'pr-mim.throw',
        remedy: `${kept <= visible ? 'Lower' : 'Raise'} 'throw', or mask more tokens.`,
      });
    }
    return { visible, retained: kept, thrown: cells - visible - kept, repeats: true };
  };
  return {
    ...inner,
    counts,
    sample(context) {
      const plan = inner.sample(context);
      if (ratio === 0) return plan;
      const cell = runningCell(withheldPlaces(ratio, 'pr-mim.throw'), context.streams.sample.int(PHASES));
      const withheld = withheldCells(context.grid, cell);
      const isKept = (id: number): boolean => withheld[id] === 0;
      return {
        ...plan,
        retained: plan.retained.filter(isKept),
        thrown: plan.retained.filter((id) => !isKept(id)).sort(),
        repeated: plan.visible.filter(isKept),
      };
    },
  };
}
