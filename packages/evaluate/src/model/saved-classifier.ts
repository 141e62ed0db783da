import { join } from 'node:path';
import { CheckpointError, MODEL_FILE, readWeightFile, saveWeights, type ParamSpecs } from '@mimlab/core';
import type { Engine } from '@mimlab/engine';
import { onDisk } from '@mimlab/train';
import type { Pooling } from './classifier.js';

/** What a fine-tuned model says about itself, in the metadata of its file. */
export interface SavedClassifier {
  readonly classes: readonly string[];
  readonly pool: Pooling;
}

/** Writes a fine-tuned model under official names, with the names of its classes. */
export async function saveClassifier(folder: string, engine: Engine, specs: ParamSpecs, { classes, pool }: SavedClassifier): Promise<void> {
  const path = join(folder, MODEL_FILE);
  const values = await engine.read(Object.keys(specs));
  await onDisk(path, () => saveWeights(path, values, specs, { format: 'pt', writer: 'mimlab', classes: JSON.stringify(classes), pool }, { fsync: true }));
}

/** The head of a fine-tuned model. */
export interface HeadFacts {
  readonly size: number;
  /** Absent in files of others. */
  readonly classes?: readonly string[];
  /** As its norms tell: a ViT with `fc_norm` has the mean of the patch tokens. */
  readonly pool: Pooling;
}

/** @param cls the network has a class token @throws CheckpointError if the file has no head, or names other classes than its head has */
export async function readHead(path: string, cls: boolean): Promise<HeadFacts> {
  const { tensors, metadata } = await readWeightFile(path, (name) => name === 'head.bias' || name === 'fc_norm.bias');
  const size = tensors['head.bias']?.shape[0];
  if (size === undefined) throw new CheckpointError(`has no 'head.bias', so it is no classifier`, { place: path, remedy: `Fine-tune it first: --protocol finetune.` });
  const pool = cls && tensors['fc_norm.bias'] === undefined ? 'cls' : 'mean';
  return { size, ...(metadata['classes'] === undefined ? {} : { classes: namesOf(metadata['classes'], size, path) }), pool };
}

/** Labels are places in this list: one that does not fit the head would make them mean something else. */
function namesOf(text: string, size: number, path: string): readonly string[] {
  let names: unknown;
  try {
    names = JSON.parse(text);
  } catch {
    names = undefined;
  }
  if (Array.isArray(names) && names.length === size && names.every((name): name is string => typeof name === 'string')) return names;
  throw new CheckpointError(`its metadata 'classes' is ${text.slice(0, 80)}, a JSON list of ${size} names is expected`, { place: path, remedy: 'Write the names of all classes of the head there, or leave the key out and name them by classList.' });
}
