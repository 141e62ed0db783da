import { randomStream, type HostTensor, type PixelStatistics } from '@mimlab/core';
import { createLoader, datasetRef, imageSpec, pixelStatistics, type Loader } from '@mimlab/data';
import type { Engine } from '@mimlab/engine';
import { evaluateKnn, extractFeatures, pixelFeatures, type Features, type KnnScores, type Pool } from '@mimlab/evaluate';
import type { RunContext } from '../run/run-context.js';
import { whiten } from './whiten.js';

/** What nearest neighbours make of one kind of features. */
export interface Measured extends KnnScores {
  readonly features: string;
}

export interface MeasureOptions {
  readonly context: RunContext;
  /** Holds the trained parameters; afterwards the initial ones. */
  readonly engine: Engine;
  readonly pool: Pool;
  readonly labelsPerClass: readonly number[];
  readonly draws: number;
  readonly note: (line: string) => void;
}

const BATCH = 500;

/** Images in the order of the data set, as they are. */
function evaluationLoader({ config }: RunContext, split: 'train' | 'test'): Promise<Loader> {
  return createLoader({
    data: datasetRef(config.data, split),
    image: imageSpec(config.data),
    augment: { kind: 'none' },
    batch: BATCH,
    seed: config.seed,
    workers: config.data.workers,
    prefetch: config.data.prefetch,
    shuffle: false,
  });
}

async function bothSplits(context: RunContext, extract: (loader: Loader, statistics: PixelStatistics) => Promise<Features>): Promise<{ train: Features; test: Features }> {
  const of = async (split: 'train' | 'test'): Promise<Features> => {
    const loader = await evaluationLoader(context, split);
    try {
      return await extract(loader, pixelStatistics(context.config.data, loader.dataset));
    } finally {
      await loader.close();
    }
  };
  return { train: await of('train'), test: await of('test') };
}

/** The encoder with the values that training started from. */
async function forgetTraining(engine: Engine, { objective, config }: RunContext): Promise<void> {
  const values: Record<string, HostTensor> = {};
  for (const [name, { shape, init }] of Object.entries(objective.encoder.params())) {
    values[name] = { shape, dtype: 'float32', data: init(shape, randomStream(config.seed, 'init', name)) };
  }
  await engine.write(values);
}

/**
 * Nearest neighbours on trained features, on those of the same encoder before training, and on raw pixels. All are
 * whitened alike; raw pixels stand there as they are as well, since whitening need not help them.
 */
export async function measureFeatures(options: MeasureOptions): Promise<Measured[]> {
  const { context, engine, pool, labelsPerClass, draws, note } = options;
  const measured: Measured[] = [];
  const measure = async (features: string, splits: { train: Features; test: Features }): Promise<void> => {
    measured.push({ features, ...(await evaluateKnn({ engine, ...splits, classes: 10, labelsPerClass, draws, seed: context.config.seed })) });
  };
  const encode = (): Promise<{ train: Features; test: Features }> =>
    bothSplits(context, (loader, statistics) => extractFeatures({ objective: context.objective, engine, loader, pool, statistics }));

  note('features of the trained encoder');
  await measure('pre-trained', await whiten(engine, await encode()));
  note('features of the untrained encoder');
  await forgetTraining(engine, context);
  await measure('untrained', await whiten(engine, await encode()));
  note('raw pixels');
  const pixels = await bothSplits(context, pixelFeatures);
  await measure('raw pixels, whitened', await whiten(engine, pixels));
  await measure('raw pixels', pixels);
  return measured;
}
