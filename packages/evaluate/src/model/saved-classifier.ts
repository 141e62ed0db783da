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
  /** As the file says or, in files of others, as its norms tell: a ViT with `fc_norm` has the mean of the patch tokens. */
  readonly pool: Pooling;
}

/** @param cls the network has a class token @throws CheckpointError if the file has no head */
export async function readHead(path: string, cls: boolean): Promise<HeadFacts> {
  const { tensors, metadata } = await readWeightFile(path, (name) => name === 'head.bias' || name === 'fc_norm.bias');
  const size = tensors['head.bias']?.shape[0];
  if (size === undefined) throw new CheckpointError(`has no 'head.bias', so it is no classifier`, { place: path, remedy: `Fine-tune it first: --protocol finetune.` });
  const pool = cls && tensors['fc_norm.bias'] === undefined ? 'cls' : 'mean';
  const classes = metadata['classes'] === undefined ? {} : { classes: JSON.parse(metadata['classes']) as string[] };
  return { size, ...classes, pool };
}
