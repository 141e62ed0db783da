import { DataError } from '@mimlab/core';
import { readShared } from './read-file.js';

/** An IDX file of unsigned bytes: its sides and its values. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

/** Type code of unsigned bytes in the third byte of the magic number; the fourth is the number of sides. */
const UNSIGNED_BYTE = 0x08;

/**
 * Reads an IDX file: a magic number, the sides as big-endian 32-bit integers, the values in row-major order.
 * @param rank number of sides the file must have: 3 for images, 1 for labels.
 * @throws DataError naming the file if it is no such file or its length differs from what its header says.
 */
export async function readIdx(path: string, rank: number): Promise<IdxArray> {
  const bytes = await readShared(path);
  const remedy = 'Replace it with a whole copy from the distribution of the data set.';
  const header = 4 + 4 * rank;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wanted = (UNSIGNED_BYTE << 8) | rank;
  const magic = bytes.length >= 4 ? view.getUint32(0) : undefined;
  if (magic !== wanted) {
    const found = magic === undefined ? `only ${bytes.length} bytes` : `0x${magic.toString(16).padStart(8, '0')}`;
    throw new DataError(`no IDX file of ${rank === 1 ? 'labels' : 'images'}: it starts with ${found}, expected 0x${wanted.toString(16).padStart(8, '0')}`, { place: path, remedy });
  }
  if (bytes.length < header) throw new DataError(`its header is cut short at ${bytes.length} of ${header} bytes`, { place: path, remedy });
  const shape = Array.from({ length: rank }, (_, side) => view.getUint32(4 + 4 * side));
  const expected = header + shape.reduce((product, side) => product * side, 1);
  if (bytes.length !== expected) {
    throw new DataError(`has ${bytes.length} bytes, its header promises ${expected} (${shape.join(' x ')})`, { place: path, remedy });
  }
  return { shape, values: bytes.subarray(header) };
}
