import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CheckpointError, loadWeights, syncFolder, type Objective, type ParamSpecs } from '@mimlab/core';
import type { Engine } from '@mimlab/engine';
import { writeStateFile } from './checkpoint-files.js';
import { sha256Of, type FileFacts } from './checkpoint-manifest.js';
import { onDisk } from './disk.js';

/** What checkpoints say of the file that holds the frozen parameters of their run. */
export interface FrozenFile extends FileFacts {
  /** Relative to the folder of the checkpoints; named by the hash of its content. */
  readonly file: string;
}

/** Parameters of a run: those that each checkpoint holds, and those that the run stores once. */
export interface SplitParams {
  readonly own: ParamSpecs;
  readonly frozen: ParamSpecs;
}

/**
 * Frozen parameters of the target, a teacher's, are stored once: they never change, may outweigh the model, and nobody who
 * reads a model asks for them. Position tables are frozen as well, but belong to the model that others load.
 */
export function splitFrozen(objective: Objective): SplitParams {
  const all = Object.entries(objective.params());
  const ofTarget = objective.target.params?.() ?? {};
  const isFrozen = ([name, { trainable }]: (typeof all)[number]): boolean => !trainable && Object.hasOwn(ofTarget, name);
  return { own: Object.fromEntries(all.filter((entry) => !isFrozen(entry))), frozen: Object.fromEntries(all.filter(isFrozen)) };
}

/**
 * Writes the frozen parameters beside the checkpoints, `frozen/SHA-256.safetensors`, whole or not at all. The same values
 * give the same file.
 * @param folder the run's `checkpoints`
 * @throws TrainingError if the disk is full or read-only
 */
export async function writeFrozenFile(folder: string, engine: Engine, specs: ParamSpecs): Promise<FrozenFile> {
  // Cleared away with other unfinished things when a run is opened again.
  const unfinished = join(folder, '.unfinished-frozen.safetensors');
  return onDisk(join(folder, 'frozen'), async () => {
    try {
      await mkdir(join(folder, 'frozen'), { recursive: true });
      await writeStateFile(unfinished, engine, specs);
      const sha256 = await sha256Of(unfinished);
      const frozen: FrozenFile = { file: `frozen/${sha256}.safetensors`, bytes: (await stat(unfinished)).size, sha256 };
      await rename(unfinished, join(folder, frozen.file));
      await syncFolder(join(folder, 'frozen'));
      await syncFolder(folder);
      return frozen;
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw error;
    }
  });
}

/**
 * Puts the frozen parameters back into the engine.
 * @throws CheckpointError if the file is missing, not the one that was written, or does not fit the model
 */
export async function restoreFrozenFile(folder: string, { file, bytes, sha256 }: FrozenFile, engine: Engine, specs: ParamSpecs): Promise<void> {
  const path = join(folder, file);
  const refuse = (problem: string): never => {
    throw new CheckpointError(problem, { place: path, remedy: `All checkpoints of the run need it: put it back (its SHA-256 is its name), or start a new run in another 'output'.` });
  };
  await onDisk(dirname(path), async () => {
    const size = await stat(path).then((found) => found.size).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? refuse('the frozen parameters of this run are missing') : Promise.reject(error)));
    if (size !== bytes) refuse(`the frozen parameters of this run have ${size} bytes, ${bytes} were written`);
    if ((await sha256Of(path)) !== sha256) refuse('the frozen parameters of this run are damaged: their hash is not the one written');
  });
  const { values } = await loadWeights(path, specs);
  await engine.write(values);
}
