import type { PixelStatistics } from '@mimlab/core';

interface Described {
  readonly name: string;
  readonly classes: readonly string[];
  readonly statistics: PixelStatistics;
  readonly channels: number;
}

/** Images of one size, in memory once for all workers. */
export interface PackedSource extends Described {
  readonly kind: 'packed';
  readonly split: 'train' | 'test';
  readonly height: number;
  readonly width: number;
  /** On shared memory, [images, height, width, channels]. */
  readonly pixels: Uint8Array;
  /** On shared memory. */
  readonly labels: Uint8Array;
}

/** Images in files, listed once and read when asked for. */
export interface FilesSource extends Described {
  readonly kind: 'files';
  readonly root: string;
  readonly paths: PackedStrings;
  /** On shared memory. */
  readonly labels: Int32Array;
}

/** Images in Parquet tables, read a row group at a time when asked for. */
export interface TablesSource extends Described {
  readonly kind: 'tables';
  readonly files: readonly string[];
  /** The sample that each file starts with. */
  readonly starts: readonly number[];
  /** Column that holds the images. */
  readonly column: string;
  /** On shared memory. */
  readonly labels: Int32Array;
}

/** What a data set is made of, as data that workers share instead of copying. */
export type DatasetSource = PackedSource | FilesSource | TablesSource;

/** Many strings on shared memory: a list of a million paths would otherwise be copied to each worker. */
export interface PackedStrings {
  /** UTF-8, one after the other. */
  readonly bytes: Uint8Array;
  /** Where each string starts, and the end of the last. */
  readonly offsets: Float64Array;
}

export const sharedBytes = (length: number): Uint8Array<SharedArrayBuffer> => new Uint8Array(new SharedArrayBuffer(length));

export function sharedLabels(labels: ArrayLike<number>): Int32Array {
  const shared = new Int32Array(new SharedArrayBuffer(4 * labels.length));
  shared.set(labels);
  return shared;
}

export function packStrings(strings: readonly string[]): PackedStrings {
  const offsets = new Float64Array(new SharedArrayBuffer(8 * (strings.length + 1)));
  strings.forEach((text, i) => {
    offsets[i + 1] = (offsets[i] as number) + Buffer.byteLength(text);
  });
  const bytes = sharedBytes(offsets[strings.length] as number);
  const target = Buffer.from(bytes.buffer);
  strings.forEach((text, i) => target.write(text, offsets[i] as number));
  return { bytes, offsets };
}

export function unpackString({ bytes, offsets }: PackedStrings, index: number): string {
  const start = offsets[index] as number;
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, (offsets[index + 1] as number) - start).toString();
}
