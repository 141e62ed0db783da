import { DataError } from '@mimlab/core';
import type { SourceImage } from '../contract.js';

/** Repeats a grey image over `channels` channels, into `out` [height, width, channels]. */
export function repeatGrey(grey: Uint8Array, channels: number, out: Uint8Array): void {
  for (let i = 0; i < grey.length; i++) out.fill(grey[i] as number, i * channels, (i + 1) * channels);
}

/** Brightness by the weights of ITU-R 601 in 16-bit fixed point, as Pillow's mode `L`. Channels after the third (alpha) do not count. */
export function toGrey({ height, width, channels, pixels }: SourceImage): SourceImage {
  const grey = new Uint8Array(height * width);
  for (let i = 0; i < grey.length; i++) {
    const p = i * channels;
    grey[i] = (19595 * (pixels[p] as number) + 38470 * (pixels[p + 1] as number) + 7471 * (pixels[p + 2] as number) + 32768) >> 16;
  }
  return { height, width, channels: 1, pixels: grey };
}

/** Any of grey, grey + alpha, colour, colour + alpha as 1 or 3 channels; alpha is dropped, as official loaders do. */
export function withChannels(image: SourceImage, channels: number): SourceImage {
  if (image.channels === channels) return image;
  if (image.channels >= 3 && channels === 1) return toGrey(image);
  if (channels !== 1 && channels !== 3) {
    throw new DataError(`images of ${channels} channels cannot be made`, { place: 'data.channels', remedy: 'Ask for 1 or 3.' });
  }
  const { height, width, pixels } = image;
  const out = new Uint8Array(height * width * channels);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < channels; c++) out[i * channels + c] = pixels[i * image.channels + (image.channels >= 3 ? c : 0)] as number;
  }
  return { height, width, channels, pixels: out };
}
