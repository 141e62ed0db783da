import type { SourceImage } from '../contract.js';

/** A rectangle of pixels. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

export type ResizeFilter = 'bicubic' | 'bilinear' | 'box';

export interface ResizeOptions {
  /** Part of the source to resize, as if it had been cut out first: no pixel outside it counts. Default: all. */
  readonly box?: Box;
  readonly height: number;
  readonly width: number;
  /** Part of the result to compute; the rest is never made. Default: all. */
  readonly window?: Box;
  /** Default: bicubic. */
  readonly filter?: ResizeFilter;
}

const FILTERS: Readonly<Record<ResizeFilter, { readonly support: number; readonly value: (x: number) => number }>> = {
  box: { support: 0.5, value: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, value: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, value: cubic },
};

/** Keys' cubic with a = -0.5. */
function cubic(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
  return 0;
}

/** Weights are integers in units of 2^-22: 8 bits of pixel, 2 of headroom for negative lobes, 22 left of 32. */
const WEIGHT_BITS = 22;
const HALF = 1 << (WEIGHT_BITS - 1);

/** For each output place: the first input place, how many count, and their weights (rows of `taps`). */
interface Taps {
  readonly first: Int32Array;
  readonly length: Int32Array;
  readonly taps: number;
  readonly weights: Int32Array;
}

function tapsOf(input: number, output: number, from: number, count: number, filter: ResizeFilter): Taps {
  const { support: radius, value } = FILTERS[filter];
  const scale = input / output;
  // Shrinking widens the filter, which is what keeps it free of aliasing.
  const stretch = Math.max(1, scale);
  const support = radius * stretch;
  const taps = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(count);
  const length = new Int32Array(count);
  const weights = new Int32Array(count * taps);
  const row = new Float64Array(taps);
  for (let i = 0; i < count; i++) {
    const centre = (from + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const size = Math.min(input, Math.trunc(centre + support + 0.5)) - start;
    let sum = 0;
    for (let t = 0; t < size; t++) sum += row[t] = value((t + start - centre + 0.5) / stretch);
    // A place at the rim of the window often weighs nothing; it is left out from the start.
    let skipped = 0;
    let used = 0;
    for (let t = 0; t < size; t++) {
      const exact = ((row[t] as number) / sum) * (1 << WEIGHT_BITS);
      const weight = Math.trunc(exact < 0 ? exact - 0.5 : exact + 0.5);
      if (weight === 0 && used === 0) skipped++;
      else weights[i * taps + used++] = weight;
    }
    while (used > 1 && weights[i * taps + used - 1] === 0) used--;
    first[i] = start + skipped;
    length[i] = used;
  }
  return { first, length, taps, weights };
}

/** The input places that have any weight. Not just from the first window to the last: one that meets a pixel exactly is shorter than its neighbours. */
function extentOf({ first, length }: Taps): { readonly top: number; readonly bottom: number } {
  const ends = first.map((start, i) => start + (length[i] as number));
  return { top: first.reduce((least, start) => Math.min(least, start)), bottom: ends.reduce((most, end) => Math.max(most, end)) };
}

/**
 * Resizes as Pillow does for 8-bit images, bit for bit: horizontal pass, then vertical pass, each rounded to 8 bits,
 * with integer weights of 22 bits. Official training codes resize this way.
 *
 * @returns uint8 [window height, window width, channels].
 */
export function resize(source: SourceImage, options: ResizeOptions): Uint8Array {
  const { height, width, filter = 'bicubic' } = options;
  const { channels } = source;
  const box = options.box ?? { top: 0, left: 0, height: source.height, width: source.width };
  const window = options.window ?? { top: 0, left: 0, height, width };
  const down = box.height === height ? undefined : tapsOf(box.height, height, window.top, window.height, filter);
  // Only the rows that the vertical pass reads go through the horizontal one.
  const { top, bottom } = down === undefined ? { top: window.top, bottom: window.top + window.height } : extentOf(down);
  const rows: Rows = { image: source, top: box.top + top, left: box.left, count: bottom - top };
  const across =
    box.width === width
      ? copyRows(rows, window.left, window.width)
      : resizeRows(rows, tapsOf(box.width, width, window.left, window.width, filter), window.width);
  return down === undefined ? across : resizeColumns(across, top, down, window.height, window.width * channels);
}

/** Rows `top .. top + count - 1` of an image, from column `left`. */
interface Rows {
  readonly image: SourceImage;
  readonly top: number;
  readonly left: number;
  readonly count: number;
}

function copyRows({ image, top, left, count }: Rows, from: number, width: number): Uint8Array {
  const { channels, pixels } = image;
  const out = new Uint8Array(count * width * channels);
  for (let y = 0; y < count; y++) {
    const start = ((top + y) * image.width + left + from) * channels;
    out.set(pixels.subarray(start, start + width * channels), y * width * channels);
  }
  return out;
}

function resizeRows({ image, top, left, count }: Rows, taps: Taps, width: number): Uint8Array {
  const { channels, pixels } = image;
  const clamped = new Uint8ClampedArray(count * width * channels);
  for (let y = 0; y < count; y++) {
    const from = ((top + y) * image.width + left) * channels;
    const out = y * width * channels;
    if (channels !== 3) resizeRow(clamped, out, pixels, from, taps, width, channels);
    // Rows come in pairs, so that every weight is fetched once for two; the last row of an odd number pairs with itself.
    else if (y % 2 === 0) resizeColourRows(clamped, out, pixels, from, y + 1 < count ? image.width * 3 : 0, y + 1 < count ? width * 3 : 0, taps, width);
  }
  return new Uint8Array(clamped.buffer);
}

function resizeRow(out: Uint8ClampedArray, at: number, pixels: Uint8Array, row: number, { first, length, taps, weights }: Taps, width: number, channels: number): void {
  for (let x = 0; x < width; x++) {
    const from = row + (first[x] as number) * channels;
    for (let c = 0; c < channels; c++) {
      let sum = HALF;
      for (let t = 0; t < (length[x] as number); t++) sum += Math.imul(pixels[from + t * channels + c] as number, weights[x * taps + t] as number);
      out[at + x * channels + c] = sum >> WEIGHT_BITS;
    }
  }
}

/** Two rows of three channels: six sums side by side. This loop is where a loader spends its time. */
function resizeColourRows(out: Uint8ClampedArray, at: number, pixels: Uint8Array, row: number, toNext: number, outToNext: number, { first, length, taps, weights }: Taps, width: number): void {
  for (let x = 0; x < width; x++, at += 3) {
    const weight = x * taps;
    const end = weight + (length[x] as number);
    let from = row + (first[x] as number) * 3;
    let r = HALF;
    let g = HALF;
    let b = HALF;
    let r2 = HALF;
    let g2 = HALF;
    let b2 = HALF;
    for (let t = weight; t < end; t++, from += 3) {
      const w = weights[t] as number;
      const next = from + toNext;
      r += Math.imul(pixels[from] as number, w);
      g += Math.imul(pixels[from + 1] as number, w);
      b += Math.imul(pixels[from + 2] as number, w);
      r2 += Math.imul(pixels[next] as number, w);
      g2 += Math.imul(pixels[next + 1] as number, w);
      b2 += Math.imul(pixels[next + 2] as number, w);
    }
    const next = at + outToNext;
    out[at] = r >> WEIGHT_BITS;
    out[at + 1] = g >> WEIGHT_BITS;
    out[at + 2] = b >> WEIGHT_BITS;
    out[next] = r2 >> WEIGHT_BITS;
    out[next + 1] = g2 >> WEIGHT_BITS;
    out[next + 2] = b2 >> WEIGHT_BITS;
  }
}

/**
 * The vertical pass: whole rows in order of memory, and up to eight of them in one go, which is what crops meet that are
 * not shrunk to half or less. Past the end a weight is 0, and any row will do.
 */
function resizeColumns(rows: Uint8Array, top: number, { first, length, taps, weights }: Taps, height: number, stride: number): Uint8Array {
  const clamped = new Uint8ClampedArray(height * stride);
  const sums = new Int32Array(stride);
  for (let y = 0; y < height; y++) {
    const size = length[y] as number;
    const start = ((first[y] as number) - top) * stride;
    const weight = (t: number): number => (t < size ? (weights[y * taps + t] as number) : 0);
    const row = (t: number): number => start + Math.min(t, size - 1) * stride;
    const out = clamped.subarray(y * stride, (y + 1) * stride);
    if (size <= 4) {
      blendFour(out, rows, row(0), row(1), row(2), row(3), weight(0), weight(1), weight(2), weight(3));
      continue;
    }
    sums.fill(HALF);
    let done = 0;
    for (; done + 8 < size; done += 4) addFour(sums, rows, row(done), row(done + 1), row(done + 2), row(done + 3), weight(done), weight(done + 1), weight(done + 2), weight(done + 3));
    const [a, b, c, d, e, f, g, h] = [row(done), row(done + 1), row(done + 2), row(done + 3), row(done + 4), row(done + 5), row(done + 6), row(done + 7)];
    const [wa, wb, wc, wd] = [weight(done), weight(done + 1), weight(done + 2), weight(done + 3)];
    const [we, wf, wg, wh] = [weight(done + 4), weight(done + 5), weight(done + 6), weight(done + 7)];
    for (let i = 0; i < stride; i++) {
      const abcd = Math.imul(rows[a + i] as number, wa) + Math.imul(rows[b + i] as number, wb) + Math.imul(rows[c + i] as number, wc) + Math.imul(rows[d + i] as number, wd);
      const efgh = Math.imul(rows[e + i] as number, we) + Math.imul(rows[f + i] as number, wf) + Math.imul(rows[g + i] as number, wg) + Math.imul(rows[h + i] as number, wh);
      out[i] = ((sums[i] as number) + abcd + efgh) >> WEIGHT_BITS;
    }
  }
  return new Uint8Array(clamped.buffer);
}

function blendFour(out: Uint8ClampedArray, rows: Uint8Array, a: number, b: number, c: number, d: number, wa: number, wb: number, wc: number, wd: number): void {
  for (let i = 0; i < out.length; i++) {
    const ab = Math.imul(rows[a + i] as number, wa) + Math.imul(rows[b + i] as number, wb);
    const cd = Math.imul(rows[c + i] as number, wc) + Math.imul(rows[d + i] as number, wd);
    out[i] = (HALF + ab + cd) >> WEIGHT_BITS;
  }
}

function addFour(sums: Int32Array, rows: Uint8Array, a: number, b: number, c: number, d: number, wa: number, wb: number, wc: number, wd: number): void {
  for (let i = 0; i < sums.length; i++) {
    const ab = Math.imul(rows[a + i] as number, wa) + Math.imul(rows[b + i] as number, wb);
    const cd = Math.imul(rows[c + i] as number, wc) + Math.imul(rows[d + i] as number, wd);
    sums[i] = ((sums[i] as number) + ab + cd) | 0;
  }
}
