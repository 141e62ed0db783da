import { CompositionError, type Grid, type Sampler } from '@mimlab/core';
import { randomMasking, sparseTables, coarsestGrid, type GroupSize, type SwinStage } from '@mimlab/nn';

export interface GreenSamplerOptions {
  readonly stages: readonly SwinStage[];
  readonly maskRatio: number;
  /** `released`: visible cells are listed in noise order, though the encoder delivers their tokens in raster order. */
  readonly visibleOrder: 'raster' | 'released';
  readonly grouping: GroupSize;
}

/**
 * One random mask for a whole micro-batch, on the grid of the last stage, and the group tables that the encoder needs
 * for it. Source: released GreenMIM, random_masking and the preparation of each stage.
 */
export function greenSampler({ stages, maskRatio, visibleOrder, grouping }: GreenSamplerOptions): Sampler {
  const masking = randomMasking({ maskRatio });
  const own = coarsestGrid(stages);
  const checkGrid = ({ rows, columns }: Grid): void => {
    if (rows === own.rows && columns === own.columns) return;
    throw new CompositionError(`GreenMIM's sampler hides cells of a grid of ${own.rows} x ${own.columns}, the encoder has ${rows} x ${columns}`, {
      place: 'hooks.sampler',
      remedy: 'Use it with the encoder of GreenMIM, or choose patchSize and depths so that the grids agree.',
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
