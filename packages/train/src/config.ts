import { z } from 'zod';

/**
 * Section `train` of a configuration. Defaults are MAE's official pre-training recipe (its launch command, not the
 * defaults of its argument parser, which differ), except for the batch: 64 fits one small machine; the recipe's 4096
 * comes from `batch * accumulate`, and the base rate adapts.
 */
export const TrainConfig = z
  .strictObject({
    batch: z.int().min(1).default(64).describe('Images in one micro-batch.'),
    accumulate: z.int().min(1).default(1).describe('Micro-batches to one update; their gradients are averaged.'),
    epochs: z.int().min(1).default(800).describe('Passes over the data set.'),
    warmupEpochs: z.number().min(0).default(40).describe('Epochs of linear warm-up, part of `epochs`; may be a fraction.'),
    baseLr: z.number().min(0).default(1.5e-4).describe('Learning rate for 256 images an update; the rate used is baseLr * batch * accumulate / 256.'),
    lr: z.number().min(0).optional().describe('Absolute learning rate; wins over baseLr.'),
    minLr: z.number().min(0).default(0).describe('Learning rate at the end of the cosine.'),
    schedule: z
      .enum(['mae', 'mmengine', 'simmim-cosine', 'simmim-step'])
      .default('mae')
      .describe(
        'mae: warm-up from 0, rate fixed within an update. mmengine: warm-up from lr * warmupStartFactor, peak at its last iteration. simmim-cosine: warm-up from lr * warmupStartFactor, cosine over all epochs. simmim-step: the same warm-up, then a fall at each milestone.',
      ),
    warmupStartFactor: z.number().min(0).max(1).default(1e-4).describe('First rate of the warm-up as a fraction of lr (schedules mmengine and simmim-*).'),
    milestones: z.array(z.number().positive()).min(1).optional().describe('Epochs at whose begin the rate falls (schedule simmim-step only).'),
    stepFactor: z.number().gt(0).lt(1).optional().describe('What the rate is multiplied with at a milestone (schedule simmim-step only). Default 0.1.'),
    weightDecay: z.number().min(0).default(0.05).describe('Decoupled weight decay, multiplied with the current learning rate.'),
    decayRule: z
      .enum(['official', 'no-tokens'])
      .default('official')
      .describe('official: all but one-dimensional parameters and biases decay. no-tokens: class, mask and position tokens do not decay either (mmpretrain).'),
    betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.9, 0.95]).describe('Decay rates of the moments of AdamW.'),
    eps: z.number().positive().default(1e-8).describe('Added to the root of the second moment.'),
    clipNorm: z.number().positive().optional().describe('Largest global norm of the gradient; absent: no clipping.'),
    checkpointEvery: z.int().min(1).default(1000).describe('Updates between checkpoints; the last update always gets one.'),
    keepCheckpoints: z.int().min(1).default(2).describe('Newest checkpoints that are kept.'),
    logEvery: z.int().min(1).default(10).describe('Updates between rows of metrics.jsonl and TensorBoard.'),
  })
  .check((context) => {
    const { warmupEpochs, epochs, schedule, milestones, stepFactor } = context.value;
    const report = (key: string, input: unknown, message: string): unknown => context.issues.push({ code: 'custom', path: [key], input, message });
    if (schedule === 'simmim-step') {
      if (milestones === undefined) report('milestones', milestones, 'the schedule simmim-step needs the epochs at which the rate falls');
    } else {
      if (milestones !== undefined) report('milestones', milestones, 'has no meaning here: it needs schedule: simmim-step');
      if (stepFactor !== undefined) report('stepFactor', stepFactor, 'has no meaning here: it needs schedule: simmim-step');
    }
    if (warmupEpochs >= epochs) {
      context.issues.push({
        code: 'custom',
        path: ['warmupEpochs'],
        input: warmupEpochs,
        message: `warm-up takes ${warmupEpochs} of ${epochs} epochs: set it below train.epochs (a tenth is usual)`,
      });
    }
  })
  .describe('The recipe: batch, optimizer, schedule, checkpoints.');

export type TrainConfig = z.infer<typeof TrainConfig>;

/** Images that one update learns from. */
export const effectiveBatch = (config: Pick<TrainConfig, 'batch' | 'accumulate'>): number => config.batch * config.accumulate;

/** Peak learning rate: the absolute one if given, else baseLr * effective batch / 256 (MAE, appendix A.1). */
export const peakLr = (config: TrainConfig): number => config.lr ?? (config.baseLr * effectiveBatch(config)) / 256;

/** The whole resolved configuration as plain data; the sections but `train` belong to others. */
export interface RunConfig {
  readonly seed: number;
  readonly train: TrainConfig;
  readonly [section: string]: unknown;
}
