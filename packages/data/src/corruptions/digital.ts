import type { RandomStream } from '@mimlab/core';
import { resize } from '../augment/resize.js';
import type { SourceImage } from '../contract.js';
import { decodeBytes, loadDecoder } from '../datasets/decode-image.js';
import { gaussianBlur } from './blurs.js';
import { mapped, plane, reflectInner, reflectWhole, sampled, type Picture } from './picture.js';

/** Towards the mean of each channel. */
export function contrast(picture: Picture, factor: number): Picture {
  const { channels, values } = picture;
  const means = new Float64Array(channels);
  for (const [place, value] of values.entries()) means[place % channels] = (means[place % channels] as number) + (value * channels) / values.length;
  return mapped(picture, (value, place) => {
    const mean = means[place % channels] as number;
    return (value - mean) * factor + mean;
  });
}

/** Three corners of a square in the middle are moved, then every pixel a little, neighbours together. */
export function elasticTransform(picture: Picture, [length, sigma, corners]: readonly [number, number, number], stream: RandomStream): Picture {
  const { height, width } = picture;
  const bent = sampled(picture, picture, movedCorners(picture, corners, stream), reflectInner);
  const field = (): Float64Array => gaussianBlur(plane(height, width, () => 2 * stream.uniform() - 1), sigma, { truncate: 3, border: reflectWhole }).values;
  const dx = field();
  const dy = field();
  return sampled(bent, picture, (y, x) => [y + length * (dy[y * width + x] as number), x + length * (dx[y * width + x] as number)], reflectWhole);
}

/** Where each pixel comes from when the corners of the square go to places uniform within `reach`. */
function movedCorners({ height, width }: Picture, reach: number, stream: RandomStream): (y: number, x: number) => readonly [number, number] {
  const half = Math.max(1, Math.floor(Math.min(height, width) / 3));
  const [centreX, centreY] = [Math.floor(width / 2), Math.floor(height / 2)];
  const moved = ([[half, half], [half, -half], [-half, -half]] as const).map(([x, y]) => ({
    x: centreX + x + reach * (2 * stream.uniform() - 1),
    y: centreY + y + reach * (2 * stream.uniform() - 1),
  }));
  const [first, second, third] = moved as [Point, Point, Point];
  // The first two differ by the square's side along y, the last two along x.
  const alongX = { x: (second.x - third.x) / (2 * half), y: (second.y - third.y) / (2 * half) };
  const alongY = { x: (first.x - second.x) / (2 * half), y: (first.y - second.y) / (2 * half) };
  const area = alongX.x * alongY.y - alongY.x * alongX.y;
  return (y, x) => {
    const [u, v] = [x - first.x, y - first.y];
    return [centreY + half + (alongX.x * v - alongX.y * u) / area, centreX + half + (alongY.y * u - alongY.x * v) / area];
  };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Shrunk and enlarged again, by the mean of the pixels that fall together. */
export function pixelate(image: SourceImage, share: number): SourceImage {
  const { height, width } = image;
  const small = { height: Math.max(1, Math.trunc(height * share)), width: Math.max(1, Math.trunc(width * share)) };
  const pixels = resize(image, { ...small, filter: 'box' });
  return { ...image, pixels: resize({ ...image, ...small, pixels }, { height, width, filter: 'box' }) };
}

/** Through a JPEG file of this quality, colours at half the resolution. */
export async function jpegCompression(image: SourceImage, quality: number): Promise<SourceImage> {
  const encode = await loadDecoder();
  const { height, width, channels, pixels } = image;
  const file = await encode(pixels, { raw: { height, width, channels: channels === 1 ? 1 : 3 } }).jpeg({ quality, chromaSubsampling: '4:2:0' }).toBuffer();
  return decodeBytes(file, channels, 'jpeg_compression');
}
