import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder, TrainingError, writeSafetensors, type NamedHostTensors, type ParamSpecs } from '@mimlab/core';
import type { Engine, NonFiniteError } from '@mimlab/engine';
import { writeWeightFiles } from './checkpoint-files.js';
import { onDisk, writeFileAtomically } from './disk.js';

/** The micro-batch at which loss or gradients stopped being numbers. */
export interface Failure {
  readonly error: NonFiniteError;
  /** Number of the update that was not applied. */
  readonly update: number;
  readonly epoch: number;
  /** Index of the micro-batch in the epoch. */
  readonly batch: number;
  readonly lr: number;
  /** Indices in the data set, and their names for people. */
  readonly samples: Int32Array;
  describe(sample: number): string;
  readonly inputs: NamedHostTensors;
}

/**
 * Writes `dump-step-N/` (inputs.safetensors, weights and optimizer state before the failed update, state.json) and
 * returns the error that stops the run: it names step, samples, first bad parameter and the dump.
 * @param lastCheckpoint the newest checkpoint, for the message
 */
export async function dumpFailure(runFolder: string, failure: Failure, engine: Engine, specs: ParamSpecs, lastCheckpoint: string | undefined): Promise<TrainingError> {
  const { error, update, epoch, batch, lr, samples } = failure;
  const path = join(runFolder, `dump-step-${update}`);
  let written = `Inputs, weights and optimizer state of that moment are in ${path}.`;
  try {
    await writeDump(path, failure, engine, specs);
  } catch (cause) {
    // The reason to stop matters more than its record: say both.
    written = `The record of it could not be written to ${path}: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
  const checkpoint = lastCheckpoint === undefined ? 'There is no checkpoint yet.' : `The last checkpoint is whole: ${lastCheckpoint}.`;
  return new TrainingError(`${error.problem} (epoch ${epoch}, batch ${batch}, lr ${lr}, samples: ${[...samples].map((sample) => failure.describe(sample)).join(', ')})`, {
    place: `step ${update}`,
    remedy: `${error.remedy ?? ''}\n  ${written}\n  ${checkpoint}`,
    cause: error,
  });
}

async function writeDump(path: string, failure: Failure, engine: Engine, specs: ParamSpecs): Promise<void> {
  const { error, update, epoch, batch, lr, samples, inputs } = failure;
  // JSON has no NaN or infinity: they are written as text.
  const state = { update, epoch, batch, lr, loss: String(error.loss), gradNorm: String(error.gradNorm), firstBadParameter: error.param ?? null, sampleIds: [...samples] };
  const unfinished = join(dirname(path), `.unfinished-${basename(path)}`);
  await onDisk(path, async () => {
    try {
      await rm(unfinished, { recursive: true, force: true });
      await mkdir(unfinished);
      await writeSafetensors(join(unfinished, 'inputs.safetensors'), inputs, {}, { fsync: true });
      await writeWeightFiles(unfinished, engine, specs);
      await writeFileAtomically(join(unfinished, 'state.json'), `${JSON.stringify(state, null, 2)}\n`);
      // The same failure after a resume replaces the earlier record of it.
      await rm(path, { recursive: true, force: true });
      await rename(unfinished, path);
      await syncFolder(dirname(path));
    } catch (cause) {
      await rm(unfinished, { recursive: true, force: true }).catch(() => undefined);
      throw cause;
    }
  });
}
