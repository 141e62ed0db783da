import { join } from 'node:path';
import { loadWeights, MODEL_FILE, saveWeights, type ParamSpecs, type WritableTensor } from '@mimlab/core';
import type { Engine } from '@mimlab/engine';

export const OPTIMIZER_FILE = 'optimizer.safetensors';
/** The two moments that AdamW keeps for each trainable parameter (names of the engine's state). */
const SLOTS = ['adamw.m', 'adamw.v'] as const;

/** The optimizer's state as parameters, each with the file layout of the parameter it belongs to. */
export function optimizerSpecs(specs: ParamSpecs): ParamSpecs {
  const trainable = Object.entries(specs).filter(([, spec]) => spec.trainable);
  return Object.fromEntries(SLOTS.flatMap((slot) => trainable.map(([name, spec]) => [`${slot}/${name}`, spec])));
}

/** State of the engine, fetched tensor by tensor when the file is written, so that it is never on the host as a whole. */
function stateOf(engine: Engine, specs: ParamSpecs): Record<string, WritableTensor> {
  const entries = Object.entries(specs).map(([name, { shape }]): [string, WritableTensor] => [
    name,
    { shape, dtype: 'float32', data: async () => (await engine.read([name]))[name]?.data as Float32Array },
  ]);
  return Object.fromEntries(entries);
}

/** Writes weights and optimizer state into `folder`, official names and layout, brought to the disk. Returns the file names. */
export async function writeWeightFiles(folder: string, engine: Engine, specs: ParamSpecs): Promise<string[]> {
  const optimizer = optimizerSpecs(specs);
  const metadata = { format: 'pt', writer: 'mimlab' };
  await saveWeights(join(folder, MODEL_FILE), stateOf(engine, specs), specs, metadata, { fsync: true });
  await saveWeights(join(folder, OPTIMIZER_FILE), stateOf(engine, optimizer), optimizer, metadata, { fsync: true });
  return [MODEL_FILE, OPTIMIZER_FILE];
}

/** Puts weights and optimizer state of a checkpoint into the engine. @throws CheckpointError if they do not fit the model. */
export async function restoreWeightFiles(folder: string, engine: Engine, specs: ParamSpecs): Promise<void> {
  const model = await loadWeights(join(folder, MODEL_FILE), specs);
  const optimizer = await loadWeights(join(folder, OPTIMIZER_FILE), optimizerSpecs(specs));
  await engine.write({ ...model.values, ...optimizer.values });
}
