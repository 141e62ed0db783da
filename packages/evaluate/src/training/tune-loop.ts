import { TrainingError, type NamedHostTensors, type ParamSpecs } from '@mimlab/core';
import { NonFiniteError, type Engine, type StepDefinition, type StepOutcome } from '@mimlab/engine';
import { checkResumable, newestCheckpoint, restoreWeightFiles, saveCheckpoint, type Cursor, type Schedule } from '@mimlab/train';
import { EvaluationStopped, type EvaluationContext } from '../protocol/protocol.js';

/** One micro-batch on its way to the step. */
export interface TuneBatch {
  /** Index in the epoch. */
  readonly index: number;
  readonly images: number;
  readonly inputs: NamedHostTensors;
  release(): void;
}

export interface TuneOptions extends Pick<EvaluationContext, 'engine' | 'folder' | 'seed' | 'signal' | 'report'> {
  readonly engine: Engine;
  readonly step: StepDefinition;
  /** Everything that the step changes, and what else belongs to the model: checkpoints hold it. Defined in the engine. */
  readonly specs: ParamSpecs;
  readonly epochs: number;
  readonly batchesPerEpoch: number;
  readonly accumulate: number;
  readonly schedule: Schedule;
  /** Labelled images: a guard against another data set under the same path. */
  readonly samples: number;
  /** Updates between checkpoints. */
  readonly checkpointEvery: number;
  /** Batches `from`, `from + 1`, ... of an epoch: a function of epoch and index. */
  batches(epoch: number, from: number, update: number): AsyncIterable<TuneBatch>;
}

/** Updates between rows of curve.jsonl. */
const LOG_EVERY = 10;

/**
 * Trains, or goes on where the newest whole checkpoint of the folder stands: bit for bit as without the interruption.
 * @throws EvaluationStopped after a checkpoint when the signal asks for it; TrainingError if loss or gradients are not finite
 */
export async function tune(options: TuneOptions): Promise<void> {
  const { engine, specs, folder, seed, signal, report, accumulate, batchesPerEpoch, samples, checkpointEvery } = options;
  const updatesPerEpoch = Math.floor(batchesPerEpoch / accumulate);
  if (updatesPerEpoch === 0) {
    throw new TrainingError(`${samples} labelled images give ${batchesPerEpoch} batches an epoch, fewer than the ${accumulate} of one update`, {
      place: 'accumulate',
      remedy: 'Lower batch or accumulate.',
    });
  }
  const updates = updatesPerEpoch * options.epochs;
  const step = engine.compile(options.step);
  const found = await newestCheckpoint(folder.checkpoints, (message) => {
    report({ kind: 'notice', message });
  });
  if (found !== undefined) {
    checkResumable(found.state, folder.config, samples, found.path);
    await restoreWeightFiles(found.path, engine, specs);
    report({ kind: 'notice', message: `going on after update ${found.state.update} of ${updates}` });
  }
  let cursor: Cursor = found?.state ?? { update: 0, epoch: 0, batch: 0 };
  let saved = cursor.update;
  await folder.truncateCurve(saved);
  const save = async (): Promise<void> => {
    await saveCheckpoint(folder.checkpoints, engine, specs, { ...cursor, seed, samples, config: folder.config, engine: engine.description }, 1);
    saved = cursor.update;
  };

  let outcomes: StepOutcome[] = [];
  while (cursor.update < updates) {
    const { epoch } = cursor;
    for await (const batch of options.batches(epoch, cursor.batch, cursor.update)) {
      const update = cursor.update + 1;
      const applies = batch.index % accumulate === accumulate - 1;
      const lr = options.schedule(epoch, batch.index);
      try {
        outcomes.push(await step.run(batch.inputs, { lr, update, phase: applies ? 'apply' : 'accumulate' }));
      } catch (error) {
        throw error instanceof NonFiniteError ? notFinite(error, update, epoch, lr, folder.path) : error;
      } finally {
        batch.release();
      }
      if (!applies) continue;
      const loss = outcomes.reduce((sum, { metrics }) => sum + (metrics['loss'] as number), 0) / outcomes.length;
      const gradNorm = outcomes.at(-1)?.metrics['gradNorm'] as number;
      outcomes = [];
      const done = batch.index + 1 >= updatesPerEpoch * accumulate;
      cursor = done ? { update, epoch: epoch + 1, batch: 0 } : { update, epoch, batch: batch.index + 1 };
      if (update % LOG_EVERY === 0 || update === updates) folder.appendCurve({ step: update, epoch: update / updatesPerEpoch, loss, lr, gradNorm });
      report({ kind: 'progress', stage: options.step.name, unit: 'images', done: update, total: updates, text: `epoch ${(update / updatesPerEpoch).toFixed(2)}  loss ${loss.toFixed(4)}`, unitsEach: batch.images * accumulate });
      if (update % checkpointEvery === 0 || update === updates) await save();
      if (signal.aborted) {
        if (saved !== update) await save();
        throw new EvaluationStopped();
      }
      if (done) break;
    }
  }
  step.dispose();
}

const notFinite = (error: NonFiniteError, update: number, epoch: number, lr: number, place: string): TrainingError =>
  new TrainingError(`${error.problem} (update ${update}, epoch ${epoch}, lr ${lr})`, { place, remedy: 'Lower the learning rate or set clipNorm; checkpoints are whole.', cause: error });
