import { randomStream, sizeOfShape, type HostTensor, type NamedHostTensors } from '@mimlab/core';
import { z } from 'zod';
import { createClassifier, DROP_PATH, type Classifier } from '../model/classifier.js';
import { defineParameters } from '../model/define-state.js';
import { requireTrunk, trunkValues } from '../model/trunk-values.js';
import { tunedParams, tuningUpdates, type TunedBlocks } from '../model/tuned-parameters.js';
import { saveClassifier } from '../model/saved-classifier.js';
import type { EvaluationContext } from '../protocol/protocol.js';
import type { Predictions } from '../protocol/results.js';
import { KEEP, tuningStep } from '../training/classifier-step.js';
import { drawMix, MixConfig, softTargets } from '../training/soft-targets.js';
import { tune, type TuneBatch } from '../training/tune-loop.js';
import { testAnswers } from './answers.js';
import { augmentOf, parameterCounts, scheduleOf, trainingKeys, tuningAugment } from './training-config.js';

/** Keys of fine-tuning, partial or whole. Defaults: the official MAE recipe for ViT-B (specification, section 6). */
export const tuningKeys = {
  ...trainingKeys({ batch: 64, accumulate: 1, epochs: 100, warmupEpochs: 5, baseLr: 5e-4, minLr: 1e-6 }),
  pool: z.enum(['cls', 'mean']).default('mean').describe('What the head gets: the class token, or the mean of the patch tokens.'),
  layerDecay: z.number().gt(0).max(1).default(0.65).describe('Learning rate of a layer over that of the next one; ViT-L 0.75, SimMIM with Swin-B 0.9.'),
  dropPath: z.number().min(0).lt(1).default(0.1).describe('Stochastic depth of the last block; rates rise linearly from 0.'),
  weightDecay: z.number().min(0).default(0.05).describe('Decoupled weight decay.'),
  betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.9, 0.999]).describe('Decay rates of the moments of AdamW.'),
  eps: z.number().positive().default(1e-8).describe('Added to the root of the second moment.'),
  clipNorm: z.number().positive().optional().describe('Largest global norm of the gradient; SimMIM has 5.'),
  smoothing: z.number().min(0).lt(1).default(0.1).describe('Label smoothing.'),
  mix: MixConfig.prefault({ mixup: 0.8, cutmix: 1 }).describe('Blending of each batch with itself reversed.'),
  augment: tuningAugment,
  testBatch: z.int().min(1).default(256).describe('Test images at once.'),
};
export type TuningConfig = z.infer<z.ZodObject<typeof tuningKeys>>;

/** Draws of stochastic depth of one micro-batch. */
function depthDraws({ depth }: Classifier, batch: number, seed: number, epoch: number, index: number): NamedHostTensors {
  return Object.fromEntries(
    Object.entries(depth.randomInputs(batch)).map(([name, { shape }]): [string, HostTensor] => {
      const stream = randomStream(seed, DROP_PATH, epoch, index);
      return [`random.${name}`, { shape, dtype: 'float32', data: Float32Array.from({ length: sizeOfShape(shape) }, () => stream.uniform()) }];
    }),
  );
}

/** Fine-tunes the last blocks (or all) with a fresh head, saves the model and asks it about the test images. */
export async function fineTune(config: TuningConfig, tuned: TunedBlocks, context: EvaluationContext): Promise<Predictions> {
  const { model, data, engine, seed, folder } = context;
  const { image, statistics } = model;
  const trunk = requireTrunk(model.encoder);
  const classes = data.classes.length;
  const classifier = createClassifier({ architecture: trunk.architecture, image, classes, pool: config.pool, dropPath: config.dropPath });
  const specs = tunedParams(classifier, tuned);
  await defineParameters(engine, specs, await trunkValues(engine, trunk, await model.encoderValues(), specs), seed);
  const loader = await data.openTrain({ batch: config.batch, augment: augmentOf(config.augment, statistics), shuffle: true });

  async function* batches(epoch: number, from: number): AsyncGenerator<TuneBatch> {
    for await (const batch of loader.epoch(epoch, from)) {
      const { index, labels } = batch;
      const mix = drawMix(config.mix, image, seed, epoch, index);
      const inputs = {
        ...batch.inputs,
        targets: softTargets(labels, classes, config.smoothing, mix?.lambda),
        ...(mix === undefined ? {} : { [KEEP]: mix.keep_HW1 }),
        ...depthDraws(classifier, labels.length, seed, epoch, index),
      };
      yield { index, images: labels.length, inputs, release: batch.release };
    }
  }
  try {
    const optimize = { updates: tuningUpdates(classifier, specs, config), accumulate: config.accumulate, ...(config.clipNorm === undefined ? {} : { clipNorm: config.clipNorm }) };
    await tune({
      ...context,
      step: tuningStep(classifier, specs, optimize, statistics),
      specs,
      epochs: config.epochs,
      accumulate: config.accumulate,
      batchesPerEpoch: loader.batchesPerEpoch,
      schedule: scheduleOf(config, loader.batchesPerEpoch),
      samples: loader.size,
      checkpointEvery: config.checkpointEvery,
      batches,
    });
  } finally {
    await loader.close();
  }
  await saveClassifier(folder.path, engine, specs, { classes: data.classes, pool: config.pool });
  return { ...(await testAnswers(context, classifier, config.testBatch)), details: { pool: config.pool, tuned, parameters: parameterCounts(specs) } };
}
