import { augmentSpec, createLoader, datasetRef, imageSpec, interruptible, openDataset, pixelStatistics, type Loader } from '@mimlab/data';
import { createEngine, type Engine } from '@mimlab/engine';
import { openRunFolder, pretrain, type PretrainSummary, type TrainRecord } from '@mimlab/train';
import { pluginModules, type NamedHostTensors, type Objective, type PixelStatistics } from '@mimlab/core';
import type { RunContext } from './run-context.js';

export interface TrainRunOptions {
  readonly context: RunContext;
  /** Folder of the run. */
  readonly output: string;
  readonly resume: boolean;
  readonly signal?: AbortSignal;
  readonly report: (record: TrainRecord) => void;
  /** Called once training is finished, not where it was stopped, with the engine that holds the weights, before it is disposed. */
  readonly afterwards?: (engine: Engine) => Promise<void>;
}

/** Mean and deviation with which a run normalises its images. */
export async function runStatistics({ config }: Pick<RunContext, 'config'>): Promise<PixelStatistics> {
  return pixelStatistics(config.data, await openDataset(datasetRef(config.data, 'train')));
}

/** The loader of a run, with the statistics that its configuration asks for. */
async function openLoader({ config, objective, compositionRef }: RunContext): Promise<Loader> {
  const loader = await createLoader({
    data: datasetRef(config.data, 'train'),
    image: imageSpec(config.data),
    augment: augmentSpec(config.data),
    batch: config.train.batch,
    seed: config.seed,
    workers: config.data.workers,
    prefetch: config.data.prefetch,
    cacheBytes: config.data.cacheMiB * 2 ** 20,
    shuffle: true,
    plans: compositionRef,
    grid: objective.grid,
  });
  return { ...interruptible(loader), dataset: { ...loader.dataset, statistics: pixelStatistics(config.data, loader.dataset) } };
}

/** The objective with the weights that it has from files already at hand; they are handed out once and not kept. */
async function withWeightsRead(objective: Objective): Promise<Objective> {
  let read: NamedHostTensors | undefined = await objective.pretrained();
  const pretrained = async (): Promise<NamedHostTensors> => {
    const values = read ?? (await objective.pretrained());
    read = undefined;
    return values;
  };
  return { ...objective, pretrained };
}

/** Opens what a run needs, trains it, and closes everything again whatever happens. */
export async function trainRun({ context, output, resume, signal, report, afterwards }: TrainRunOptions): Promise<PretrainSummary> {
  const { config, loaded } = context;
  // Data, engine and weights are opened before the run's folder is made: a wrong path leaves nothing behind.
  const loader = await openLoader(context);
  try {
    const engine = await createEngine(config.engine);
    try {
      const objective = resume ? context.objective : await withWeightsRead(context.objective);
      const runFolder = await openRunFolder({ path: output, resume, configText: loaded.format() });
      try {
        const summary = await pretrain({
          config,
          objective,
          engine,
          openLoader: () => Promise.resolve(loader),
          runFolder,
          report,
          plugins: pluginModules(context.compositionRef),
          ...(signal === undefined ? {} : { signal }),
        });
        if (summary.outcome === 'finished') await afterwards?.(engine);
        return summary;
      } finally {
        await runFolder.release();
      }
    } finally {
      engine.dispose();
    }
  } finally {
    // The train loop closes it too; a failure before training leaves it to us.
    await loader.close();
  }
}
