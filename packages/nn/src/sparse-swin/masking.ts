import { CompositionError, examplePlan, type Encoder, type Grid, type ImageSpec, type Sampler } from '@mimlab/core';
import { coarsestGrid, type SparseStage } from './stages.js';
import { CELLS, sparseTables } from './tables.js';
import type { GroupSize } from './windows.js';

export interface SparseMasking {
  readonly stages: readonly SparseStage[];
  readonly grouping: GroupSize;
  /** Which units are hidden. */
  readonly masking: Sampler;
  /** `drawn`: visible cells are listed as `masking` drew them, though the encoder delivers their tokens in raster order. Default `raster`. */
  readonly visibleOrder?: 'raster' | 'drawn';
}

/**
 * One mask for a whole micro-batch, on the grid of the last stage, and the group tables that `sparseSwinEncoder` needs for it.
 * Source: released GreenMIM, random_masking and the preparation of each stage.
 * @throws CompositionError, when used, on any other grid.
 */
export function sparseMasking({ stages, grouping, masking, visibleOrder = 'raster' }: SparseMasking): Sampler {
  const own = coarsestGrid(stages);
  const checkGrid = ({ rows, columns }: Grid): void => {
    if (rows === own.rows && columns === own.columns) return;
    throw new CompositionError(`the sampler hides units of a grid of ${own.rows} x ${own.columns}, the encoder has ${rows} x ${columns}`, {
      place: 'hooks.sampler',
      remedy: 'Use it with the encoder of its own plugin, or choose patch and stages so that the grids agree.',
    });
  };
  return {
    scope: 'batch',
    counts(grid) {
      checkGrid(grid);
      return masking.counts(grid);
    },
    sample(context) {
      checkGrid(context.grid);
      const plan = masking.sample(context);
      const units = plan.visible.slice().sort();
      return { ...plan, visible: visibleOrder === 'raster' ? units : plan.visible, aux: sparseTables(stages, units, grouping) };
    },
  };
}

/** @throws CompositionError if plans come without group tables, or one by one. */
export function checkSparseSampler(sampler: Sampler, encoder: Encoder, image: ImageSpec): void {
  sampler.counts(encoder.grid);
  if (sampler.scope === 'batch' && examplePlan({ sampler, grid: encoder.grid, image }).aux?.[CELLS] !== undefined) return;
  throw new CompositionError('the encoder carries visible tokens alone and needs one mask for the whole batch with its group tables, which this sampler does not make', {
    place: 'hooks.sampler',
    remedy: 'Leave the sampler to the plugin of the encoder, or take another encoder.',
  });
}
