import { basename, resolve } from 'node:path';
import { ConfigError, type NamedHostTensors, type Objective, type ParamSpecs, type PixelStatistics } from '@mimlab/core';
import { augmentSpec, createLoader, datasetRef, imageSpec, type Loader } from '@mimlab/data';
import { createEngine, type Engine } from '@mimlab/engine';
import { fitParameters, measureDeviation, type Fitted, type PairedBatch } from '@mimlab/evaluate';
import { parameterState } from '@mimlab/train';
import { loadDrawableWeights } from '../pictures/drawable-weights.js';
import { loadRunContext, storedConfig, type RunContext } from '../run/run-context.js';
import { runStatistics } from '../run/train-run.js';
import { formsOfGrid, formsOfRun, fullObjective, isWrapped, type MethodChoice, type WrappedForm } from './compared-methods.js';
import type { DeviationRow, Weights } from './deviation-file.js';

export interface MeasureRunOptions {
  /** Absent: own weights for a run that throws tokens, common ones for a run of full reconstruction. */
  readonly weights?: Weights;
  /** What is compared at the weights of full reconstruction. */
  readonly methods: readonly MethodChoice[];
  readonly ratios: readonly number[];
  /** Keys of the wrapper for its progressive forms. */
  readonly settings: readonly string[];
  readonly batches: number;
  readonly plans: number;
  /** Images a batch. */
  readonly batch: number;
  /** Updates of a fit. */
  readonly fit: number;
  readonly seed: number;
  readonly report: (line: string) => void;
}

export interface MeasuredRun {
  readonly rows: DeviationRow[];
  readonly engine: string;
}

/** Epochs that no training reaches: images to measure on, and others to fit on, in crops and masks of their own. */
const EPOCHS = { measure: 2 ** 20, fit: 2 ** 21 } as const;

/**
 * Measures what is compared at the weights of one run.
 * @throws ConfigError if these weights are none of the run's, CheckpointError if it has no checkpoint
 */
export async function measureRun(run: string, options: MeasureRunOptions): Promise<MeasuredRun> {
  const config = storedConfig(run);
  const context = await loadRunContext(config);
  const wrapped = isWrapped(context);
  const weights = options.weights ?? (wrapped ? 'own' : 'common');
  checkWeights(run, weights, wrapped);
  const full = fullObjective(context);
  const forms = wrapped ? await formsOfRun(context, config) : await formsOfGrid(context, config, options.methods, options.ratios, options.settings);
  const statistics = await runStatistics(context);
  const open = (epoch: number, count: number): AsyncIterable<PairedBatch> => pairedBatches(context, options, epoch, count);

  const fits = new Map<WrappedForm, Fitted>();
  if (weights === 'common') {
    for (const form of forms) {
      const own = ownParameters(form.objective, full);
      if (Object.keys(own).length === 0) continue;
      options.report(`${nameOf(form)}: fitting the aggregation, ${options.fit} updates`);
      fits.set(form, await fitForm({ run, context, statistics, form, own, batches: open(EPOCHS.fit, options.fit), options }));
    }
  }

  const engine = await engineOf(context);
  try {
    const own: ParamSpecs = Object.assign({}, ...forms.map(({ objective }) => ownParameters(objective, context.objective)));
    await defineWeights(engine, run, context, weights, own);
    const { methods, floor } = await measureDeviation({
      engine,
      statistics,
      full,
      methods: forms.map((form) => ({ name: nameOf(form), objective: form.objective, ...valuesOf(fits.get(form)) })),
      batches: open(EPOCHS.measure, options.batches),
      plans: options.plans,
      seed: options.seed,
      report: (done) => {
        options.report(`${basename(resolve(run))}: batch ${done} of ${options.batches}`);
      },
    });
    const rows = forms.map((form): DeviationRow => {
      const { method, sampler, throw: ratio, counts } = form;
      const fitted = fits.get(form);
      return {
        method,
        throw: ratio,
        sampler,
        counts,
        weights,
        run: basename(resolve(run)),
        ...(fitted === undefined ? {} : { fit: { updates: fitted.updates, loss: fitted.loss } }),
        groups: methods[nameOf(form)] as DeviationRow['groups'],
        floor: floor as DeviationRow['floor'],
      };
    });
    return { rows, engine: engine.description };
  } finally {
    engine.dispose();
  }
}

function checkWeights(run: string, weights: Weights, wrapped: boolean): void {
  if (weights === 'own' && !wrapped) {
    throw new ConfigError('the run throws no tokens, so there is no method whose own weights these are', { place: run, remedy: `Leave '--weights' out: its weights are then common to all methods compared.` });
  }
  if (weights === 'common' && wrapped) {
    throw new ConfigError('common weights are those of full reconstruction, and this run throws tokens', { place: run, remedy: `Name a run without pr-mim, or leave '--weights' out.` });
  }
}

const nameOf = ({ method, sampler, throw: ratio }: WrappedForm): string => `${method}:${sampler} ${ratio}`;
const valuesOf = (fitted: Fitted | undefined): { readonly values?: NamedHostTensors } => (fitted === undefined ? {} : { values: fitted.values });

/** Parameters that one objective has and another lacks. */
function ownParameters(objective: Objective, other: Objective): ParamSpecs {
  const known = other.params();
  return Object.fromEntries(Object.entries(objective.params()).filter(([name]) => !(name in known)));
}

/** Gradients are compared in full precision. */
const engineOf = ({ config }: RunContext): Promise<Engine> => createEngine({ ...config.engine, precision: 'fp32' });

/** The run's weights, and starting values for what its model lacks. */
async function defineWeights(engine: Engine, run: string, context: RunContext, weights: Weights, own: ParamSpecs): Promise<void> {
  const { objective, config } = context;
  if (weights === 'init') await engine.define(parameterState(objective.params(), config.seed));
  else await loadDrawableWeights(engine, run, context);
  await engine.write(await objective.pretrained());
  await engine.define(parameterState(own, config.seed));
}

interface FitForm {
  readonly run: string;
  readonly context: RunContext;
  readonly statistics: PixelStatistics;
  readonly form: WrappedForm;
  readonly own: ParamSpecs;
  readonly batches: AsyncIterable<PairedBatch>;
  readonly options: MeasureRunOptions;
}

/** Each fit has an engine of its own: the moments of one must not reach the next. */
async function fitForm({ run, context, statistics, form, own, batches, options }: FitForm): Promise<Fitted> {
  const engine = await engineOf(context);
  try {
    await defineWeights(engine, run, context, 'common', own);
    return await fitParameters({ engine, objective: form.objective, statistics, names: Object.keys(own), batches, updates: options.fit, train: context.config.train, seed: options.seed });
  } finally {
    engine.dispose();
  }
}

/** Training images as the run augments them, without plans: those are drawn for every method apart. */
async function* pairedBatches({ config, objective }: RunContext, { batch, seed }: MeasureRunOptions, firstEpoch: number, count: number): AsyncGenerator<PairedBatch> {
  const loader: Loader = await createLoader({
    data: datasetRef(config.data, 'train'),
    image: imageSpec(config.data),
    augment: augmentSpec(config.data),
    batch,
    seed,
    workers: config.data.workers,
    prefetch: config.data.prefetch,
    cacheBytes: config.data.cacheMiB * 2 ** 20,
    shuffle: true,
    grid: objective.grid,
  });
  try {
    let index = 0;
    for (let epoch = firstEpoch; index < count; epoch++) {
      for await (const { inputs, sampleIds, crops, release } of loader.epoch(epoch)) {
        yield { images: inputs['images'] as PairedBatch['images'], sampleIds, crops, index };
        release();
        if (++index === count) break;
      }
    }
  } finally {
    await loader.close();
  }
}
