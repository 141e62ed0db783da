import { ConfigError, DataError, sizeOfShape, type NamedHostTensors, type Objective, type ParamSpecs, type PixelStatistics } from '@mimlab/core';
import type { Loader } from '@mimlab/data';
import { NonFiniteError, type Engine, type StepOutcome } from '@mimlab/engine';
import { newestCheckpoint, saveCheckpoint } from './checkpoint.js';
import { restoreWeightFiles } from './checkpoint-files.js';
import { effectiveBatch, peakLr, type RunConfig } from './config.js';
import { describeEnvironment } from './environment.js';
import { dumpFailure } from './failure-dump.js';
import { restoreFrozenFile, splitFrozen, writeFrozenFile } from './frozen-file.js';
import { hookRandomness } from './hook-randomness.js';
import { appendMetrics, scalarsOf, syncMetrics, truncateMetrics } from './metrics-log.js';
import { createPace } from './pace.js';
import { blankState, parameterState, pretrainStep } from './pretrain-step.js';
import type { PretrainSummary, TrainRecord } from './records.js';
import type { RunFolder } from './run-folder.js';
import { gatherSamplerState, isStateDue, readSamplerState } from './sampler-state.js';
import { createSchedule } from './schedule.js';
import { stepKey } from './step-key.js';
import { createEventFile } from './tensorboard.js';
import { checkResumable, type Cursor } from './train-state.js';
import { joinOutcomes, metricsRow } from './update-metrics.js';

export interface PretrainOptions {
  /** The whole resolved configuration. What decides the weights must be the same when a run is resumed. */
  readonly config: RunConfig;
  readonly objective: Objective;
  /** Mean and deviation that images are normalised with; those of the data set unless given. */
  readonly statistics?: PixelStatistics;
  /**
   * Modules (absolute paths or file URLs) of the plugins that the objective was made by. With them an engine may keep the
   * compiled step for the next start.
   */
  readonly plugins?: readonly string[];
  /** Holds no state yet. Stays open: the caller may go on to read weights from it. */
  readonly engine: Engine;
  /** Batches of `config.train.batch` images with plans, shuffled by `config.seed`. Closed when training ends. */
  readonly openLoader: () => Promise<Loader>;
  /** Opened by `openRunFolder`; the caller releases it. */
  readonly runFolder: RunFolder;
  /** Asks to stop: the update at hand is finished and a checkpoint written. */
  readonly signal?: AbortSignal;
  readonly report?: (record: TrainRecord) => void;
}

const now = (): number => performance.now() / 1000;

/**
 * Pre-trains, or goes on where the newest whole checkpoint of the run folder stands: the result is then the same, bit
 * for bit, as without the interruption.
 * @throws TrainingError if loss or gradients are not finite (after a dump), the disk is full, or the run belongs to another configuration
 * @throws CheckpointError if checkpoints exist and none is whole
 */
export async function pretrain(options: PretrainOptions): Promise<PretrainSummary> {
  const loader = await options.openLoader();
  try {
    return await train(options, loader);
  } finally {
    await loader.close();
  }
}

async function train(options: PretrainOptions, loader: Loader): Promise<PretrainSummary> {
  const { config, objective, engine, runFolder, signal, statistics = loader.dataset.statistics, report = () => undefined } = options;
  const stopAsked = (): boolean => signal?.aborted === true;
  const { batch: batchSize, accumulate, epochs, logEvery, checkpointEvery, keepCheckpoints } = config.train;
  const began = now();

  // Length of the run. Micro-batches left over at the end of an epoch make no update (as in the official code).
  const updatesPerEpoch = Math.floor(loader.batchesPerEpoch / accumulate);
  if (updatesPerEpoch === 0) throw tooFewSamples(loader, config);
  const updates = updatesPerEpoch * epochs;
  const lr = peakLr(config.train);
  const schedule = createSchedule({ ...config.train, kind: config.train.schedule, lr, iterationsPerEpoch: loader.batchesPerEpoch });

  // Where it stands: at the newest whole checkpoint, else at the beginning. Read before the model is built, so that a
  // configuration that does not fit is refused at once.
  const notice = (message: string): void => report({ kind: 'notice', message });
  const found = await newestCheckpoint(runFolder.checkpoints, notice);
  if (found !== undefined) checkResumable(found.state, config, loader.size, found.path);
  let cursor: Cursor = found?.state ?? { update: 0, epoch: 0, batch: 0 };
  let samplerState = found && (await readSamplerState(found.path, found.state));
  let checkpoint = found && { path: found.path, update: found.state.update };

  // Parameters, optimizer state and step.
  const specs = objective.params();
  const split = splitFrozen(objective);
  await engine.define(found === undefined ? parameterState(specs, config.seed) : blankState(specs));
  if (found === undefined) await engine.write(await objective.pretrained());
  const cacheKey = options.plugins && stepKey(config, statistics, options.plugins);
  const step = engine.compile(pretrainStep(objective, statistics, config.train, cacheKey));
  let frozen = found?.frozen;
  if (found !== undefined) await restoreWeightFiles(found.path, engine, frozen === undefined ? specs : split.own);
  if (frozen !== undefined) await restoreFrozenFile(runFolder.checkpoints, frozen, engine, split.frozen);

  // Logs. What an interrupted run wrote after its checkpoint will be written again.
  const dropped = await truncateMetrics(runFolder.metrics, cursor.update);
  if (dropped > 0) notice(`${runFolder.metrics}: ${dropped} rows after step ${cursor.update} dropped, they are computed again`);
  if (found !== undefined && found.state.engine !== engine.description) {
    notice(`the run was on another engine (${found.state.engine}), now on ${engine.description}: weights may differ in their last bits`);
  }
  if (runFolder.resumed && found === undefined) notice(`${runFolder.path}: no checkpoint yet, training starts at the beginning`);
  await runFolder.writeEnvironment(describeEnvironment(engine));
  const events = createEventFile(runFolder.tensorboard, cursor.update + 1);
  const pace = createPace(now);

  const save = async (): Promise<{ path: string; update: number }> => {
    const start = now();
    await syncMetrics(runFolder.metrics);
    const state = { ...cursor, seed: config.seed, samples: loader.size, config, engine: engine.description };
    if (Object.keys(split.frozen).length > 0) frozen ??= await writeFrozenFile(runFolder.checkpoints, engine, split.frozen);
    const path = await saveCheckpoint(runFolder.checkpoints, engine, split.own, state, keepCheckpoints, samplerState, frozen);
    report({ kind: 'checkpoint', update: cursor.update, path, seconds: now() - start });
    return { path, update: cursor.update };
  };

  report({
    kind: 'start',
    runFolder: runFolder.path,
    update: cursor.update,
    updates,
    updatesPerEpoch,
    samples: loader.size,
    parameters: countParameters(specs),
    effectiveBatch: effectiveBatch(config.train),
    baseLr: config.train.lr === undefined ? config.train.baseLr : undefined,
    lr,
    engine: engine.description,
  });

  // The loop.
  let loss: number | undefined;
  let outcomes: StepOutcome[] = [];
  while (cursor.update < updates && !stopAsked()) {
    const { epoch } = cursor;

    // What the sampler keeps of the samples is an input of the epoch: gathered while no batch is in the making.
    if (isStateDue(objective, cursor, samplerState)) {
      const start = now();
      const gathered = await gatherSamplerState({ objective, engine, loader, statistics, epoch, stopAsked });
      if (gathered === undefined) break;
      samplerState = gathered;
      notice(`attention to ${loader.size} whole images gathered before epoch ${epoch} in ${(now() - start).toFixed(1)} s`);
    }

    let waitedFrom = now();
    for await (const batch of loader.epoch(epoch, cursor.batch, samplerState)) {
      pace.add('data', now() - waitedFrom);
      const update = cursor.update + 1;
      const microBatch = batch.index % accumulate;
      const applies = microBatch === accumulate - 1;
      const logs = applies && (update % logEvery === 0 || update === 1 || update === updates);
      const rate = schedule(epoch, batch.index);
      const inputs: NamedHostTensors = { ...batch.inputs, ...hookRandomness(objective, batchSize, config.seed, update, microBatch) };

      const startedAt = now();
      try {
        const outcome = await step.run(inputs, { lr: rate, update, phase: applies ? 'apply' : 'accumulate', outputs: logs ? ['norms'] : [] });
        outcomes.push(outcome);
      } catch (error) {
        if (!(error instanceof NonFiniteError)) throw error;
        throw await dumpFailure(runFolder.path, { error, update, epoch, batch: batch.index, lr: rate, samples: batch.sampleIds, describe: loader.dataset.describe, inputs }, engine, specs, checkpoint?.path);
      } finally {
        batch.release();
      }
      pace.add('step', now() - startedAt);
      pace.images(batchSize);

      if (applies) {
        const metrics = joinOutcomes(outcomes);
        outcomes = [];
        loss = metrics.loss;
        const done = batch.index + 1 >= updatesPerEpoch * accumulate;
        cursor = done ? { update, epoch: epoch + 1, batch: 0 } : { update, epoch, batch: batch.index + 1 };
        report({ kind: 'update', update, updates, epoch: update / updatesPerEpoch, loss, lr: rate, imagesPerSecond: pace.rate(), waiting: pace.waiting() });
        if (logs) {
          const row = metricsRow(update, update / updatesPerEpoch, metrics, rate, pace.lap(loader.timings()));
          appendMetrics(runFolder.metrics, row);
          events.write(update, scalarsOf(row));
          report({ kind: 'metrics', row });
        }
        if (update % checkpointEvery === 0 || update === updates) checkpoint = await save();
        if (done || stopAsked()) break;
      }
      waitedFrom = now();
    }
    if (cursor.epoch === epoch && !stopAsked()) {
      throw new DataError(`the loader ended at batch ${cursor.batch} of ${loader.batchesPerEpoch}`, { place: `epoch ${epoch}`, remedy: 'Check that the data set did not change during the run.' });
    }
  }
  step.dispose();

  // Stopped between two checkpoints, or before the first: keep what was learnt.
  if (checkpoint?.update !== cursor.update) checkpoint = await save();
  const outcome = cursor.update === updates ? 'finished' : 'stopped';
  return { outcome, update: cursor.update, updates, loss, checkpoint: checkpoint.path, runFolder: runFolder.path, seconds: now() - began };
}

function tooFewSamples(loader: Loader, { train: { batch, accumulate } }: RunConfig): ConfigError {
  return new ConfigError(`an epoch of ${loader.size} samples has ${loader.batchesPerEpoch} batches of ${batch}, fewer than the ${accumulate} of one update`, {
    place: 'train',
    remedy: 'Lower train.batch or train.accumulate, or use a larger data set.',
  });
}

function countParameters(specs: ParamSpecs): { trainable: number; frozen: number } {
  const count = { trainable: 0, frozen: 0 };
  for (const spec of Object.values(specs)) count[spec.trainable ? 'trainable' : 'frozen'] += sizeOfShape(spec.shape);
  return count;
}
