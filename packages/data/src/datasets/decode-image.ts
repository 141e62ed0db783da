import { readFile } from 'node:fs/promises';
import { DataError } from '@mimlab/core';
import type sharp from 'sharp';
import { withChannels } from '../augment/channels.js';
import type { SourceImage } from '../contract.js';

type Sharp = typeof sharp;
let loaded: Promise<Sharp> | undefined;

/**
 * Loads the decoder. The main thread must do this before workers do: the native library cannot be loaded first by a
 * thread that later ends.
 */
export function loadDecoder(): Promise<Sharp> {
  loaded ??= import('sharp').then(({ default: decoder }) => {
    // A training set is read once an epoch: a cache only costs memory. Parallelism comes from decoding several images.
    decoder.cache(false);
    decoder.concurrency(1);
    return decoder;
  });
  return loaded;
}

/**
 * Reads and decodes an image file; see `decodeBytes`.
 * @throws DataError naming the file if it cannot be read, decoded, or is truncated.
 */
export async function decodeImage(path: string, channels: number): Promise<SourceImage> {
  await loadDecoder();
  const start = performance.now();
  const file = await readFile(path).catch((cause: unknown) => {
    throw new DataError(`cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { place: path, remedy: 'Check that the file is there and may be read.', cause });
  });
  const readSeconds = (performance.now() - start) / 1000;
  return { ...(await decodeBytes(file, channels, path)), readSeconds };
}

/**
 * Decodes an image file's bytes, turned upright as its EXIF data says. Colours are taken as stored (profiles are ignored,
 * as official loaders do), CMYK is converted, transparency dropped, 16 bits cut to 8.
 * @param place what to call the image in messages
 * @throws DataError if they cannot be decoded, or are truncated.
 */
export async function decodeBytes(file: Uint8Array, channels: number, place: string): Promise<SourceImage> {
  const decoder = await loadDecoder();
  try {
    const { data, info } = await decoder(file, { failOn: 'error', ignoreIcc: true }).autoOrient().toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return withChannels({ height: info.height, width: info.width, channels: info.channels, pixels: data }, channels);
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
    throw new DataError(`cannot be decoded: ${reason}`, { place, remedy: 'Replace the file, or remove it from the data set.', cause });
  }
}
