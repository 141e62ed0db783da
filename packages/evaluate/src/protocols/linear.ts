import { randomStream, type HostTensor } from '@mimlab/core';
import type { Loader } from '@mimlab/data';
import { z } from 'zod';
import { featureReader, type Features } from '../features.js';
import { createRowReader, imagesOf } from '../loader-rows.js';
import { defineParameters, ensureEncoder } from '../model/define-state.js';
import { frozenFeatures } from '../model/frozen-features.js';
import { defineProtocol, type EvaluationContext } from '../protocol/protocol.js';
import { predictionsFromScores } from '../protocol/results.js';
import { linearHeadParams, linearHeadStep, linearScoringStep } from '../training/linear-head.js';
import { softTargets } from '../training/soft-targets.js';
import { tune, type TuneBatch, type TuneOptions } from '../training/tune-loop.js';
import { augmentOf, checkWarmup, probingAugment, scheduleOf, trainingKeys } from './training-config.js';

const LinearConfig = z
  .strictObject({
    ...trainingKeys({ batch: 512, accumulate: 1, epochs: 90, warmupEpochs: 10, baseLr: 0.1, minLr: 0 }),
    pool: z.enum(['cls', 'mean']).optional().describe('Features: the class token, or the mean of the patch tokens. Default: the class token where there is one.'),
    features: z
      .enum(['fresh', 'once'])
      .default('fresh')
      .describe('fresh: every epoch encodes new cut-outs, as the official probe does. once: the centre of every image is encoded once and kept, which is faster by far and measures a little lower.'),
    augment: probingAugment,
    momentum: z.number().min(0).lt(1).default(0.9).describe('Momentum of LARS.'),
    trust: z.number().positive().default(0.001).describe('Trust coefficient of LARS.'),
    weightDecay: z.number().min(0).default(0).describe('Weight decay of the linear map.'),
    encodeBatch: z.int().min(1).default(256).describe('Images encoded at once for testing, and for features: once.'),
  })
  .superRefine(checkWarmup);
type LinearConfig = z.infer<typeof LinearConfig>;

/** Batches of features that are kept, in a random order of each epoch. */
function keptBatches({ values, width, count, labels }: Features, { batch }: LinearConfig, classes: number, seed: number): Pick<TuneOptions, 'batchesPerEpoch' | 'batches'> {
  const batchesPerEpoch = Math.floor(count / batch);
  return {
    batchesPerEpoch,
    async *batches(epoch, from) {
      const order = randomStream(seed, 'order', epoch).permutation(count);
      for (let index = from; index < batchesPerEpoch; index++) {
        const ids = order.subarray(index * batch, (index + 1) * batch);
        const rows = new Float32Array(batch * width);
        ids.forEach((id, row) => {
          rows.set(values.subarray(id * width, (id + 1) * width), row * width);
        });
        // A turn of the event loop, without which nobody could ask to stop.
        await new Promise((resolve) => setImmediate(resolve));
        yield headBatch(index, { shape: [batch, width], dtype: 'float32', data: rows }, ids.map((id) => labels[id] as number), classes, () => undefined);
      }
    },
  };
}

/** Batches of new cut-outs, encoded. */
function freshBatches(context: EvaluationContext, loader: Loader, rowsOf: (images: HostTensor) => Promise<Float32Array>): Pick<TuneOptions, 'batchesPerEpoch' | 'batches'> {
  return {
    batchesPerEpoch: loader.batchesPerEpoch,
    async *batches(epoch, from) {
      for await (const batch of loader.epoch(epoch, from)) {
        const data = await rowsOf(imagesOf(batch));
        const count = batch.labels.length;
        yield headBatch(batch.index, { shape: [count, data.length / count], dtype: 'float32', data }, batch.labels, context.data.classes.length, batch.release);
      }
    },
  };
}

const headBatch = (index: number, features: HostTensor, labels: Int32Array, classes: number, release: () => void): TuneBatch => ({
  index,
  images: labels.length,
  inputs: { features, targets: softTargets(labels, classes, 0) },
  release,
});

/** Trains the head on the batches that `source` gives. */
async function probe(config: LinearConfig, context: EvaluationContext, width: number, samples: number, source: Pick<TuneOptions, 'batchesPerEpoch' | 'batches'>): Promise<void> {
  const { engine, data, seed } = context;
  const specs = linearHeadParams(width, data.classes.length);
  await defineParameters(engine, specs, {}, seed);
  const update = { rule: { kind: 'lars', momentum: config.momentum, trust: config.trust }, decay: config.weightDecay, lrScale: 1 } as const;
  const learning = Object.keys(specs).filter((name) => specs[name]?.trainable);
  const updates = Object.fromEntries(learning.map((name) => [name, update]));
  await tune({
    ...context,
    step: linearHeadStep(specs, { updates, accumulate: config.accumulate }),
    specs,
    epochs: config.epochs,
    accumulate: config.accumulate,
    schedule: scheduleOf(config, source.batchesPerEpoch),
    samples,
    checkpointEvery: config.checkpointEvery,
    ...source,
  });
}

async function scored(context: EvaluationContext, { values, width, count, labels }: Features) {
  const { engine, data } = context;
  const step = engine.compile(linearScoringStep(linearHeadParams(width, data.classes.length)));
  try {
    const { outputs } = await step.run({ features: { shape: [count, width], dtype: 'float32', data: values } }, { outputs: ['logits'] });
    return predictionsFromScores(outputs['logits']?.data as Float32Array, labels, data.classes.length);
  } finally {
    step.dispose();
  }
}

/** A linear classifier on frozen features, behind a batch norm without gain and offset. */
export const linear = defineProtocol<LinearConfig>({
  name: 'linear',
  about: 'linear probe: batch norm and a linear map on frozen features, trained with LARS',
  source: 'MAE (arXiv:2111.06377), appendix A.1 and main_linprobe.py: 90 epochs, 10 of warm-up, base rate 0.1, LARS without weight decay; its batch of 16384 is batch 512 x accumulate 32',
  configSchema: LinearConfig,
  async run(config, context) {
    const { model, data, engine } = context;
    const { encoder, statistics } = model;
    const spec = encoder.features[encoder.output];
    const pool = config.pool ?? (spec?.cls === true ? 'cls' : 'mean');
    const frozen = { pool, batch: config.encodeBatch };
    if (config.features === 'once') {
      const train = await frozenFeatures(context, 'train', frozen);
      await probe(config, context, train.width, train.count, keptBatches(train, config, data.classes.length, context.seed));
    } else {
      await ensureEncoder(engine, model);
      const reader = createRowReader(featureReader({ objective: { encoder, grid: encoder.grid }, engine, pool, statistics }));
      const loader = await data.openTrain({ batch: config.batch, augment: augmentOf(config.augment, statistics), shuffle: true });
      try {
        await probe(config, context, spec?.width ?? 0, loader.size, freshBatches(context, loader, (images) => reader.rows(images)));
      } finally {
        reader.dispose();
        await loader.close();
      }
    }
    const test = await frozenFeatures(context, 'test', frozen);
    return { ...(await scored(context, test)), details: { pool, width: test.width } };
  },
});
