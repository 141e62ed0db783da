import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CheckpointError, readSafetensors, writeSafetensors, type HostTensor } from '@mimlab/core';
import { onDisk } from '@mimlab/train';
import type { Features } from '../features.js';
import type { SetPredictions } from './results.js';

interface Kept {
  readonly tensors: Readonly<Record<string, HostTensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a file holds; made and written where there is none. The whole file appears at once, so what is there is whole. */
async function kept(path: string, make: () => Promise<Kept>): Promise<Kept> {
  const known = await readSafetensors(path).catch((error: unknown) => {
    const { code } = ((error as { cause?: unknown }).cause ?? {}) as { code?: unknown };
    if (code === 'ENOENT') return undefined;
    throw error;
  });
  if (known !== undefined) return known;
  const made = await make();
  await onDisk(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    await writeSafetensors(path, made.tensors, made.metadata, { fsync: true });
  });
  return made;
}

function tensorOf({ tensors }: Kept, name: string, what: string, place: string): HostTensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw new CheckpointError(`holds no ${what}`, { place, remedy: 'Delete the file; it is made again.' });
  return tensor;
}

/** Features made once, and read from the disk after that. */
export async function keptFeatures(path: string, make: () => Promise<Features>): Promise<Features> {
  const file = await kept(path, async () => {
    const { values, width, count, labels } = await make();
    return { tensors: { values: { shape: [count, width], dtype: 'float32', data: values }, labels: { shape: [count], dtype: 'int32', data: labels } }, metadata: {} };
  });
  const values = tensorOf(file, 'values', 'features', path);
  const labels = tensorOf(file, 'labels', 'features', path);
  const [count, width] = values.shape as [number, number];
  return { values: values.data as Float32Array, width, count, labels: labels.data as Int32Array };
}

/** Answers about a set of images, asked for once. */
export async function keptAnswers(path: string, ask: () => Promise<SetPredictions>): Promise<SetPredictions> {
  const file = await kept(path, async () => {
    const { predicted, labels, top5, classes } = await ask();
    const column = (data: Int32Array): HostTensor => ({ shape: [data.length], dtype: 'int32', data });
    return { tensors: { predicted: column(predicted), labels: column(labels) }, metadata: { classes: JSON.stringify(classes), ...(top5 === undefined ? {} : { top5: String(top5) }) } };
  });
  const { classes, top5 } = file.metadata;
  return {
    predicted: tensorOf(file, 'predicted', 'answers', path).data as Int32Array,
    labels: tensorOf(file, 'labels', 'answers', path).data as Int32Array,
    classes: JSON.parse(classes ?? '[]') as string[],
    ...(top5 === undefined ? {} : { top5: Number(top5) }),
  };
}
