import type { ParamSpecs } from '@mimlab/core';
import { AugmentConfig } from '@mimlab/data';
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

/** Cut-outs of training images as the official fine-tuning and probing make them: 8 % to all of the area. */
export const augmentKey = AugmentConfig.prefault({ kind: 'random-resized-crop', scale: [0.08, 1] }).describe('How training images are cut out.');

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
