import type { RandomStream } from '@mimlab/core';
import { clip, clippedZoom, mapped, nearest, reflectInner, type Border, type Picture } from './picture.js';

/** Weights of a sum of shifted pictures. */
interface Tap {
  readonly y: number;
  readonly x: number;
  readonly weight: number;
}

function gather({ height, width, channels, values }: Picture, taps: readonly Tap[], border: Border): Picture {
  const out = new Float64Array(values.length);
  for (const { y: shiftY, x: shiftX, weight } of taps) {
    const columns = Int32Array.from({ length: width }, (_, x) => border(x + shiftX, width) * channels);
    let at = 0;
    for (let y = 0; y < height; y++) {
      const row = border(y + shiftY, height) * width * channels;
      for (let x = 0; x < width; x++) {
        const from = row + (columns[x] as number);
        for (let c = 0; c < channels; c++, at++) out[at] = (out[at] as number) + weight * (values[from + c] as number);
      }
    }
  }
  return { height, width, channels, values: out };
}

/** Sums to 1, from -radius to radius. */
function bell(sigma: number, radius: number): readonly number[] {
  const raw = Array.from({ length: 2 * radius + 1 }, (_, i) => (sigma > 0 ? Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)) : i === radius ? 1 : 0));
  const sum = raw.reduce((total, value) => total + value, 0);
  return raw.map((value) => value / sum);
}

/** Gaussian blur, cut off at `truncate` deviations. */
export function gaussianBlur(picture: Picture, sigma: number, { truncate = 4, border = nearest }: { readonly truncate?: number; readonly border?: Border } = {}): Picture {
  const radius = Math.trunc(truncate * sigma + 0.5);
  if (radius === 0) return picture;
  const weights = bell(sigma, radius);
  const across = gather(picture, weights.map((weight, i) => ({ y: 0, x: i - radius, weight })), border);
  return gather(across, weights.map((weight, i) => ({ y: i - radius, x: 0, weight })), border);
}

/** A disk whose rim is smoothed by a small Gaussian. */
function disk(radius: number, rim: number): readonly Tap[] {
  const reach = radius <= 8 ? 8 : radius;
  const side = 2 * reach + 1;
  const inside = Float64Array.from({ length: side * side }, (_, i) => ((i % side) - reach) ** 2 + (Math.floor(i / side) - reach) ** 2 <= radius ** 2 ? 1 : 0);
  const area = inside.reduce((sum, value) => sum + value, 0);
  const half = radius <= 8 ? 1 : 2;
  const weights = bell(rim, half);
  const smooth = (values: Picture, vertical: boolean): Picture =>
    gather(values, weights.map((weight, i) => (vertical ? { y: i - half, x: 0, weight } : { y: 0, x: i - half, weight })), reflectInner);
  const { values } = smooth(smooth({ height: side, width: side, channels: 1, values: inside }, false), true);
  return Array.from(values, (value, i) => ({ y: Math.floor(i / side) - reach, x: (i % side) - reach, weight: value / area })).filter(({ weight }) => weight > 0);
}

export const defocusBlur = (picture: Picture, [radius, rim]: readonly [number, number]): Picture => gather(picture, disk(radius, rim), reflectInner);

/**
 * Pixels taken from random places nearby, between two Gaussian blurs. The published script means to swap the two pixels,
 * but copies one over the other; the images of the benchmark are made so.
 */
export function glassBlur(picture: Picture, [sigma, reach, rounds]: readonly [number, number, number], stream: RandomStream): Picture {
  const { height, width, channels } = picture;
  const { values } = mapped(gaussianBlur(picture, sigma), (value) => Math.floor(clip(value) * 255 + 1e-9) / 255);
  for (let round = 0; round < rounds; round++) {
    for (let y = height - reach; y > reach; y--) {
      for (let x = width - reach; x > reach; x--) {
        const dx = stream.int(2 * reach) - reach;
        const dy = stream.int(2 * reach) - reach;
        const from = ((y + dy) * width + x + dx) * channels;
        values.copyWithin((y * width + x) * channels, from, from + channels);
      }
    }
  }
  return gaussianBlur({ ...picture, values }, sigma);
}

/** Half a bell drawn out from each pixel in one direction, as ImageMagick's motion blur. */
export function motionBlur(picture: Picture, radius: number, sigma: number, degrees: number): Picture {
  const width = 2 * Math.ceil(radius) + 1;
  const half = bell(sigma, width - 1).slice(width - 1);
  const sum = half.reduce((total, value) => total + value, 0);
  const angle = (degrees * Math.PI) / 180;
  const place = (length: number): number => Math.ceil(length - 0.5);
  return gather(picture, half.map((weight, i) => ({ x: place(i * Math.cos(angle)), y: place(i * Math.sin(angle)), weight: weight / sum })), nearest);
}

/** The mean of the picture and of enlarged copies. */
export function zoomBlur(picture: Picture, [step, count]: readonly [number, number]): Picture {
  const total = Float64Array.from(picture.values);
  for (let i = 0; i < count; i++) {
    const { values } = clippedZoom(picture, 1 + i * step);
    for (let place = 0; place < total.length; place++) total[place] = (total[place] as number) + (values[place] as number);
  }
  return { ...picture, values: total.map((value) => value / (count + 1)) };
}
