import { randomStream, type HostTensor, type PixelStatistics } from '@mimlab/core';
import { createLoader, datasetRef, imageSpec, openDataset, pixelStatistics, type Loader } from '@mimlab/data';
import type { Engine } from '@mimlab/engine';
import { evaluateKnn, extractFeatures, pixelFeatures, principalDirections, projectFeatures, type Features, type KnnScores } from '@mimlab/evaluate';
import type { RunContext } from '../run/run-context.js';

/** What nearest neighbours make of one kind of features. */
export interface Measured extends KnnScores {
  readonly features: string;
}

export interface MeasureOptions {
  readonly context: RunContext;
  /** Holds the trained parameters; afterwards the initial ones. */
  readonly engine: Engine;
  readonly labelsPerClass: readonly number[];
  readonly draws: number;
  readonly note: (line: string) => void;
}

/** Large enough that starting operations costs little beside running them. */
const BATCH = 400;
/** Directions that features are compared along: fewer numbers than all tokens have, at the same accuracy. */
export const DIRECTIONS = 64;
/** Training images, without labels, that directions are found from: all where there are fewer. */
const FIT = 5000;

/** Images in the order of the data set, as they are. */
function evaluationLoader({ config }: RunContext, split: 'train' | 'test', subset?: readonly number[]): Promise<Loader> {
  return createLoader({
    data: datasetRef(config.data, split),
    image: imageSpec(config.data),
    augment: { kind: 'none' },
    batch: BATCH,
    seed: config.seed,
    workers: config.data.workers,
    prefetch: config.data.prefetch,
    shuffle: false,
    ...(subset === undefined ? {} : { subset }),
  });
}

type Extract = (loader: Loader, statistics: PixelStatistics) => Promise<Features>;

async function extracted(context: RunContext, extract: Extract, split: 'train' | 'test', subset?: readonly number[]): Promise<Features> {
  const loader = await evaluationLoader(context, split, subset);
  try {
    return await extract(loader, pixelStatistics(context.config.data, loader.dataset));
  } finally {
    await loader.close();
  }
}

const bothSplits = async (context: RunContext, extract: Extract): Promise<Splits> => ({
  train: await extracted(context, extract, 'train'),
  test: await extracted(context, extract, 'test'),
});

interface Splits {
  readonly train: Features;
  readonly test: Features;
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
 * Nearest neighbours on trained features, on those of the same encoder before training, and on raw pixels. Features are
 * all patch tokens, compared along their own principal directions. Pixels stand there along theirs and as they are,
 * since either may suit them better.
 */
export async function measureFeatures(options: MeasureOptions): Promise<Measured[]> {
  const { context, engine, labelsPerClass, draws, note } = options;
  const { seed, data } = context.config;
  const fitted = Math.min(FIT, (await openDataset(datasetRef(data, 'train'))).size);
  const measured: Measured[] = [];
  const measure = async (features: string, splits: Splits): Promise<void> => {
    measured.push({ features, ...(await evaluateKnn({ engine, ...splits, classes: 10, labelsPerClass, draws, seed })) });
  };
  const encode = async (): Promise<Splits> => {
    const extract =
      (directions?: HostTensor): Extract =>
      (loader, statistics) =>
        extractFeatures({ objective: context.objective, engine, loader, pool: 'tokens', statistics, ...(directions === undefined ? {} : { directions }) });
    const fit = await extracted(context, extract(), 'train', Array.from({ length: fitted }, (_, index) => index));
    return bothSplits(context, extract(await principalDirections(engine, fit, DIRECTIONS, seed)));
  };

  note('features of the trained encoder');
  await measure('pre-trained', await encode());
  note('features of the untrained encoder');
  await forgetTraining(engine, context);
  await measure('untrained', await encode());
  note('raw pixels');
  const pixels = await bothSplits(context, pixelFeatures);
  await measure('raw pixels', pixels);
  const { values, width, labels } = pixels.train;
  const directions = await principalDirections(engine, { values: values.subarray(0, fitted * width), width, count: fitted, labels: labels.subarray(0, fitted) }, DIRECTIONS, seed);
  await measure(`raw pixels, ${DIRECTIONS} directions`, { train: await projectFeatures(engine, pixels.train, directions), test: await projectFeatures(engine, pixels.test, directions) });
  return measured;
}
