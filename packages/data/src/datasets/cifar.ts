import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, type PixelStatistics } from '@mimlab/core';
import { CIFAR100_CLASSES } from './cifar100-classes.js';
import { sharedBytes, type PackedSource } from './dataset-source.js';
import { findFile, readShared } from './read-file.js';
import { CIFAR100_STATISTICS, CIFAR10_STATISTICS } from './statistics.js';

const SIDE = 32;
const PLANE = SIDE * SIDE;

/** A binary version of the two data sets: labels, then the red, green and blue planes. */
interface CifarForm {
  readonly name: 'cifar10' | 'cifar100';
  readonly title: string;
  /** Bytes before the planes; the last of them is the label in use. */
  readonly labelBytes: number;
  /** The folder that the archive unpacks to. */
  readonly folder: string;
  readonly files: Readonly<Record<'train' | 'test', readonly string[]>>;
  readonly classes: readonly string[];
  readonly statistics: PixelStatistics;
}

const FORMS: Readonly<Record<CifarForm['name'], CifarForm>> = {
  cifar10: {
    name: 'cifar10',
    title: 'CIFAR-10 (data_batch_1.bin ... data_batch_5.bin, test_batch.bin)',
    labelBytes: 1,
    folder: 'cifar-10-batches-bin',
    files: { train: [1, 2, 3, 4, 5].map((part) => `data_batch_${part}.bin`), test: ['test_batch.bin'] },
    classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
    statistics: CIFAR10_STATISTICS,
  },
  // The label of the superclass comes first, then the fine one.
  cifar100: {
    name: 'cifar100',
    title: 'CIFAR-100 (train.bin, test.bin)',
    labelBytes: 2,
    folder: 'cifar-100-binary',
    files: { train: ['train.bin'], test: ['test.bin'] },
    classes: CIFAR100_CLASSES,
    statistics: CIFAR100_STATISTICS,
  },
};

/**
 * CIFAR-10 or CIFAR-100 (fine labels) in its binary version.
 * @param path the folder of the `.bin` files, or the one above, which the archive was unpacked in.
 * @throws DataError naming the file that is missing or damaged.
 */
export async function readCifar(name: CifarForm['name'], split: 'train' | 'test', path: string): Promise<PackedSource> {
  const { title, labelBytes, folder: unpacked, files, classes, statistics } = FORMS[name];
  const record = labelBytes + 3 * PLANE;
  const nested = join(path, unpacked);
  const isNested = await stat(nested).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  const folder = isNested ? nested : path;
  const remedy = `Set 'data.path' to the unpacked binary version of ${title}.`;
  const paths = await Promise.all(files[split].map((file) => findFile(folder, [file], remedy)));
  const parts = await Promise.all(paths.map(async (file) => ({ file, records: await readRecords(file, record) })));
  const count = parts.reduce((sum, { records }) => sum + records.length / record, 0);
  const pixels = sharedBytes(count * 3 * PLANE);
  const labels = sharedBytes(count);
  let image = 0;
  for (const { file, records } of parts) {
    for (let start = 0; start < records.length; start += record, image++) {
      const label = records[start + labelBytes - 1] as number;
      if (label >= classes.length) throw new DataError(`record ${start / record} has label ${label}, expected 0 .. ${classes.length - 1}`, { place: file, remedy });
      labels[image] = label;
      interleave(records, start + labelBytes, pixels, image * 3 * PLANE);
    }
  }
  return { kind: 'packed', name, split, classes, statistics, channels: 3, height: SIDE, width: SIDE, pixels, labels };
}

async function readRecords(file: string, record: number): Promise<Uint8Array> {
  const bytes = await readShared(file);
  if (bytes.length === 0 || bytes.length % record !== 0) {
    throw new DataError(`has ${bytes.length} bytes, no whole number of records of ${record} bytes`, { place: file, remedy: 'Unpack the archive again: the file is cut short or of another format.' });
  }
  return bytes;
}

/** Planes to pixels: [3, 32, 32] to [32, 32, 3]. */
function interleave(from: Uint8Array, start: number, to: Uint8Array, offset: number): void {
  for (let p = 0; p < PLANE; p++) {
    for (let c = 0; c < 3; c++) to[offset + 3 * p + c] = from[start + c * PLANE + p] as number;
  }
}
