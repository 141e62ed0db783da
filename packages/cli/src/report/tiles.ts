import type { ImageSpec } from '@mimlab/core';
import sharp from 'sharp';

/** From this width on pictures are stored with loss: a page with hundreds of them must stay small enough to send. */
const LARGE = 96;

/** A picture as a data URI. @param pixels uint8, [height, width, channels], one or three channels */
export async function imageUri(pixels: Uint8Array, { height, width, channels }: ImageSpec): Promise<string> {
  const picture = sharp(pixels, { raw: { width, height, channels: channels as 1 | 3 } });
  if (width > LARGE) return `data:image/webp;base64,${(await picture.webp({ quality: 86 }).toBuffer()).toString('base64')}`;
  return `data:image/png;base64,${(await picture.png({ compressionLevel: 9 }).toBuffer()).toString('base64')}`;
}

/** Stops of the colour map viridis, dark to light: its brightness rises evenly, so it reads in grey as well. */
const VIRIDIS = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [109, 205, 89],
  [180, 222, 44],
  [253, 231, 37],
] as const;

/** The colour of a share 0..1. */
export function heatColour(share: number): readonly [number, number, number] {
  const place = Math.min(1, Math.max(0, share)) * (VIRIDIS.length - 1);
  const below = VIRIDIS[Math.floor(place)] as (typeof VIRIDIS)[number];
  const above = VIRIDIS[Math.ceil(place)] as (typeof VIRIDIS)[number];
  const mix = (channel: 0 | 1 | 2): number => Math.round(below[channel] + (place - Math.floor(place)) * (above[channel] - below[channel]));
  return [mix(0), mix(1), mix(2)];
}

/** Values in raster order as a picture of one pixel each, from 0 (dark) to the largest (light). */
export function heatUri(values: Float32Array, width: number): Promise<string> {
  const most = values.reduce((largest, value) => Math.max(largest, value), 0);
  const pixels = new Uint8Array(3 * values.length);
  values.forEach((value, at) => {
    pixels.set(heatColour(most > 0 ? value / most : 0), 3 * at);
  });
  return imageUri(pixels, { height: values.length / width, width, channels: 3 });
}
