import type { ParamSpecs, PixelStatistics } from '@mimlab/core';
import { AugmentConfig, type AugmentSpec } from '@mimlab/data';
import { createSchedule, type Schedule } from '@mimlab/train';
import { z } from 'zod';

/** What every protocol that trains lets one choose. `lr` is absolute and wins over `baseLr`, which is for 256 images an update. */
export interface TrainingSettings {
  readonly batch: number;
  readonly accumulate: number;
  readonly epochs: number;
  readonly warmupEpochs: number;
  readonly baseLr: number;
  readonly lr?: number | undefined;
  readonly minLr: number;
}

/** The keys, with the defaults of a recipe. */
export const trainingKeys = (recipe: Omit<TrainingSettings, 'lr'>) => ({
  batch: z.int().min(1).default(recipe.batch).describe('Images in one micro-batch.'),
  accumulate: z.int().min(1).default(recipe.accumulate).describe('Micro-batches to one update; their gradients are averaged.'),
  epochs: z.int().min(1).default(recipe.epochs).describe('Passes over the labelled images.'),
  warmupEpochs: z.number().min(0).default(recipe.warmupEpochs).describe('Epochs of linear warm-up, part of epochs.'),
  baseLr: z.number().min(0).default(recipe.baseLr).describe('Learning rate for 256 images an update; the rate used is baseLr * batch * accumulate / 256.'),
  lr: z.number().min(0).optional().describe('Absolute learning rate; wins over baseLr.'),
  minLr: z.number().min(0).default(recipe.minLr).describe('Learning rate at the end of the cosine.'),
  checkpointEvery: z.int().min(1).default(500).describe('Updates between checkpoints; the last update always gets one.'),
});

const ABOUT = 'How training images are cut out and changed.';

/** Cut-outs of training images as the official probing makes them: 8 % to all of the area. */
export const probingAugment = AugmentConfig.prefault({ kind: 'random-resized-crop', scale: [0.08, 1] }).describe(ABOUT);

/** The same with the changes of fine-tuning: RandAugment, and a box of noise in a quarter of the images. */
export const tuningAugment = AugmentConfig.prefault({ kind: 'random-resized-crop', scale: [0.08, 1], randAugment: 'rand-m9-mstd0.5-inc1', erase: 0.25 }).describe(ABOUT);

/** The augmentation, with the statistics that its fills and noise follow. */
export const augmentOf = (augment: z.infer<typeof AugmentConfig>, statistics: PixelStatistics): AugmentSpec => (augment.kind === 'none' ? augment : { ...augment, statistics });

/** Refuses a warm-up that is as long as the training. */
export const checkWarmup = ({ warmupEpochs, epochs }: TrainingSettings, context: z.RefinementCtx): void => {
  if (warmupEpochs < epochs) return;
  context.addIssue({ code: 'custom', path: ['warmupEpochs'], message: `warm-up takes ${warmupEpochs} of ${epochs} epochs: set it below epochs` });
};

export const peakRate = ({ lr, baseLr, batch, accumulate }: TrainingSettings): number => lr ?? (baseLr * batch * accumulate) / 256;

/** The official schedule: linear from 0, then half a cosine, per iteration. */
export const scheduleOf = (settings: TrainingSettings, batchesPerEpoch: number): Schedule =>
  createSchedule({ ...settings, kind: 'mae', lr: peakRate(settings), iterationsPerEpoch: batchesPerEpoch });

/** Numbers that learn and that do not. */
export const parameterCounts = (specs: ParamSpecs): { readonly trained: number; readonly frozen: number } => {
  const count = { trained: 0, frozen: 0 };
  for (const { trainable, shape } of Object.values(specs)) count[trainable ? 'trained' : 'frozen'] += shape.reduce((a, b) => a * b, 1);
  return count;
};
