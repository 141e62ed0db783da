import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '@mimlab/core';
import { sharedBytes, type PackedSource } from './dataset-source.js';
import { findFile, readShared } from './read-file.js';
import { CIFAR10_STATISTICS } from './statistics.js';

const SIDE = 32;
const PLANE = SIDE * SIDE;
/** A label, then the red, green and blue planes. */
const RECORD = 1 + 3 * PLANE;
const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
const FILES = {
  train: [1, 2, 3, 4, 5].map((part) => `data_batch_${part}.bin`),
  test: ['test_batch.bin'],
};

/**
 * CIFAR-10 in its binary version.
 * @param path the folder of the `.bin` files, or the one above (`cifar-10-batches-bin` inside).
 * @throws DataError naming the file that is missing or damaged.
 */
export async function readCifar10(split: 'train' | 'test', path: string): Promise<PackedSource> {
  const nested = join(path, 'cifar-10-batches-bin');
  const isNested = await stat(nested).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  const folder = isNested ? nested : path;
  const remedy = `Set 'data.path' to the unpacked binary version of CIFAR-10 (data_batch_1.bin ... data_batch_5.bin, test_batch.bin).`;
  const paths = await Promise.all(FILES[split].map((name) => findFile(folder, [name], remedy)));
  const parts = await Promise.all(paths.map(async (file) => ({ file, records: await readRecords(file) })));
  const count = parts.reduce((sum, { records }) => sum + records.length / RECORD, 0);
  const pixels = sharedBytes(count * 3 * PLANE);
  const labels = sharedBytes(count);
  let image = 0;
  for (const { file, records } of parts) {
    for (let start = 0; start < records.length; start += RECORD, image++) {
      const label = records[start] as number;
      if (label >= CLASSES.length) throw new DataError(`record ${start / RECORD} has label ${label}, expected 0 .. 9`, { place: file, remedy });
      labels[image] = label;
      interleave(records, start + 1, pixels, image * 3 * PLANE);
    }
  }
  return { kind: 'packed', name: 'cifar10', split, classes: CLASSES, statistics: CIFAR10_STATISTICS, channels: 3, height: SIDE, width: SIDE, pixels, labels };
}

async function readRecords(file: string): Promise<Uint8Array> {
  const bytes = await readShared(file);
  if (bytes.length === 0 || bytes.length % RECORD !== 0) {
    throw new DataError(`has ${bytes.length} bytes, no whole number of records of ${RECORD} bytes`, { place: file, remedy: 'Unpack the archive again: the file is cut short or of another format.' });
  }
  return bytes;
}

/** Planes to pixels: [3, 32, 32] to [32, 32, 3]. */
function interleave(from: Uint8Array, start: number, to: Uint8Array, offset: number): void {
  for (let p = 0; p < PLANE; p++) {
    for (let c = 0; c < 3; c++) to[offset + 3 * p + c] = from[start + c * PLANE + p] as number;
  }
}
