import type { SourceImage } from '../contract.js';
import { withChannels } from './channels.js';

/** Changes of values that leave every pixel in its place, on uint8, as Pillow's ImageOps and ImageEnhance do them. */
type Table = (value: number) => number;

const clamp8 = (value: number): number => (value <= 0 ? 0 : value >= 255 ? 255 : value);

function lookUp(image: SourceImage, table: Table): SourceImage {
  const values = Uint8Array.from({ length: 256 }, (_, value) => table(value));
  return { ...image, pixels: image.pixels.map((value) => values[value] as number) };
}

/** One table for each channel, made from its histogram; undefined leaves a channel as it is. */
function lookUpChannels(image: SourceImage, tableOf: (histogram: Int32Array) => Table | undefined): SourceImage {
  const { channels, pixels } = image;
  const out = Uint8Array.from(pixels);
  for (let c = 0; c < channels; c++) {
    const histogram = new Int32Array(256);
    for (let p = c; p < pixels.length; p += channels) {
      const value = pixels[p] as number;
      histogram[value] = (histogram[value] as number) + 1;
    }
    const table = tableOf(histogram);
    if (table === undefined) continue;
    const values = Uint8Array.from({ length: 256 }, (_, value) => table(value));
    for (let p = c; p < pixels.length; p += channels) out[p] = values[pixels[p] as number] as number;
  }
  return { ...image, pixels: out };
}

/** Stretches the values of each channel over 0 .. 255. */
export const autoContrast = (image: SourceImage): SourceImage =>
  lookUpChannels(image, (histogram) => {
    const low = histogram.findIndex((count) => count > 0);
    const high = histogram.findLastIndex((count) => count > 0);
    if (high <= low) return undefined;
    const scale = 255 / (high - low);
    return (value) => clamp8(Math.trunc(value * scale - low * scale));
  });

/** Makes the values of each channel about equally frequent. */
export const equalize = (image: SourceImage): SourceImage =>
  lookUpChannels(image, (histogram) => {
    const total = histogram.reduce((sum, count) => sum + count, 0);
    const step = Math.floor((total - (histogram[histogram.findLastIndex((count) => count > 0)] as number)) / 255);
    if (step === 0) return undefined;
    const below = new Float64Array(256);
    for (let value = 1; value < 256; value++) below[value] = (below[value - 1] as number) + (histogram[value - 1] as number);
    return (value) => clamp8(Math.floor((Math.floor(step / 2) + (below[value] as number)) / step));
  });

export const invert = (image: SourceImage): SourceImage => lookUp(image, (value) => 255 - value);

/** Keeps the highest `bits` of each value. */
export const posterize = (image: SourceImage, bits: number): SourceImage => lookUp(image, (value) => value & (0xff << (8 - bits)));

/** Inverts values from `threshold` up. */
export const solarize = (image: SourceImage, threshold: number): SourceImage => lookUp(image, (value) => (value < threshold ? value : 255 - value));

/** Brightens values below 128. */
export const solarizeAdd = (image: SourceImage, amount: number): SourceImage => lookUp(image, (value) => (value < 128 ? Math.min(255, value + amount) : value));

/**
 * From `other` (factor 0) to the image (factor 1) and beyond, in single precision and cut to whole numbers, as Pillow
 * blends.
 */
function blend(image: SourceImage, other: (index: number) => number, factor: number): SourceImage {
  const alpha = Math.fround(factor);
  const { fround, trunc } = Math;
  const pixels = image.pixels.map((value, index) => {
    const from = other(index);
    return clamp8(trunc(fround(from + fround(alpha * (value - from)))));
  });
  return { ...image, pixels };
}

/** Saturation: towards or away from grey. */
export function color(image: SourceImage, factor: number): SourceImage {
  if (image.channels === 1) return image;
  const grey = withChannels(image, 1).pixels;
  const { channels } = image;
  return blend(image, (index) => grey[Math.floor(index / channels)] as number, factor);
}

/** Towards or away from the mean brightness. */
export function contrast(image: SourceImage, factor: number): SourceImage {
  const grey = withChannels(image, 1).pixels;
  const mean = Math.floor(grey.reduce((sum, value) => sum + value, 0) / grey.length + 0.5);
  return blend(image, () => mean, factor);
}

export const brightness = (image: SourceImage, factor: number): SourceImage => blend(image, () => 0, factor);

/** Towards or away from a smoothed copy. */
export function sharpness(image: SourceImage, factor: number): SourceImage {
  const smooth = smoothed(image);
  return blend(image, (index) => smooth[index] as number, factor);
}

/** Each pixel five times with its eight neighbours; pixels at the rim stay. */
function smoothed({ height, width, channels, pixels }: SourceImage): Uint8Array {
  const out = Uint8Array.from(pixels);
  const row = width * channels;
  for (let y = 1; y < height - 1; y++) {
    for (let at = y * row + channels; at < (y + 1) * row - channels; at++) {
      let sum = 4 * (pixels[at] as number);
      for (const line of [at - row, at, at + row]) sum += (pixels[line - channels] as number) + (pixels[line] as number) + (pixels[line + channels] as number);
      out[at] = Math.floor(sum / 13 + 0.5);
    }
  }
  return out;
}
