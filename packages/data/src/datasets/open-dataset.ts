import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '@mimlab/core';
import type { Dataset, DatasetRef } from '../contract.js';
import { readCifar } from './cifar.js';
import { unpackString, type DatasetSource, type FilesSource, type PackedSource, type TablesSource } from './dataset-source.js';
import { decodeBytes, decodeImage, loadDecoder } from './decode-image.js';
import { listImageFolder } from './imagefolder.js';
import { listInaturalist } from './inaturalist.js';
import { readFashionMnist, readMnist } from './mnist.js';
import { createTableReader } from './table-reader.js';
import { listTables } from './tables.js';

/**
 * Opens a data set: IDX and CIFAR files are read whole; image folders, iNaturalist and tables are listed and read when asked.
 * @throws DataError naming the file or folder that is missing or damaged.
 */
export async function openDataset(ref: DatasetRef): Promise<Dataset> {
  return datasetOf(await readSource(ref));
}

export async function readSource(ref: DatasetRef): Promise<DatasetSource> {
  switch (ref.dataset) {
    case 'mnist':
      return readMnist(ref.split, ref.path);
    case 'fashion-mnist':
      return readFashionMnist(ref.split, ref.path);
    case 'cifar10':
    case 'cifar100':
      return readCifar(ref.dataset, ref.split, ref.path);
    case 'imagefolder':
      await loadDecoder();
      return listImageFolder(ref.split, ref.path, ref.channels, ref.testAlone);
    case 'inaturalist':
      await loadDecoder();
      return listInaturalist(ref.split, ref.path, ref.channels);
    case 'parquet':
      await loadDecoder();
      return listTables(ref.split, ref.path, ref.channels);
  }
}

/** The data set that a source stands for, in any thread. */
export function datasetOf(source: DatasetSource): Dataset {
  switch (source.kind) {
    case 'packed':
      return packedDataset(source);
    case 'files':
      return filesDataset(source);
    case 'tables':
      return tablesDataset(source);
  }
}

/** What every source knows of its images, whatever they lie in. */
function listed({ name, classes, statistics, channels, labels }: DatasetSource): Pick<Dataset, 'name' | 'size' | 'classes' | 'statistics' | 'channels' | 'label'> {
  const size = labels.length;
  return { name, size, classes, statistics, channels, label: (index) => labels[checked(index, size, name)] as number };
}

function packedDataset(source: PackedSource): Dataset {
  const { name, channels, height, width, pixels, labels, split } = source;
  const size = labels.length;
  const describe = (index: number): string => `${split} #${index}`;
  const length = height * width * channels;
  return {
    ...listed(source),
    describe,
    image: async (index) => {
      const start = checked(index, size, name) * length;
      return { height, width, channels, pixels: pixels.subarray(start, start + length) };
    },
    fingerprint: async (index) => {
      const start = checked(index, size, name) * length;
      return hashOf(pixels.subarray(start, start + length));
    },
  };
}

function filesDataset(source: FilesSource): Dataset {
  const { name, channels, labels, paths, root } = source;
  const size = labels.length;
  const pathOf = (index: number): string => join(root, unpackString(paths, checked(index, size, name)));
  return {
    ...listed(source),
    describe: pathOf,
    image: async (index) => decodeImage(pathOf(index), channels),
    fingerprint: async (index) => hashOf(await bytesOf(pathOf(index))),
  };
}

function tablesDataset(source: TablesSource): Dataset {
  const { name, channels, labels } = source;
  const size = labels.length;
  const reader = createTableReader(source);
  return {
    ...listed(source),
    describe: (index) => reader.describe(index),
    image: async (index) => {
      const start = performance.now();
      const bytes = await reader.bytes(checked(index, size, name));
      const readSeconds = (performance.now() - start) / 1000;
      return { ...(await decodeBytes(bytes, channels, reader.describe(index))), readSeconds };
    },
    fingerprint: async (index) => hashOf(await reader.bytes(checked(index, size, name))),
  };
}

const hashOf = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('base64');

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new DataError(`cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { place: path, remedy: 'Mend the file, or remove it from the data set.', cause });
  }
}

function checked(index: number, size: number, name: string): number {
  if (Number.isInteger(index) && index >= 0 && index < size) return index;
  throw new DataError(`there is no sample ${index}`, { place: name, remedy: `The data set has samples 0 .. ${size - 1}.` });
}
