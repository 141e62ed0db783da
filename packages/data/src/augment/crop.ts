import type { Crop, RandomStream } from '@mimlab/core';
import type { AugmentSpec } from '../contract.js';
import type { Box } from './resize.js';

export type RandomCropSpec = Extract<AugmentSpec, { kind: 'random-resized-crop' }>;

/** Crops tried before the centre is taken (torchvision's RandomResizedCrop). */
const TRIES = 10;

/** Half to even, as Python rounds. */
function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/**
 * Draws the crop of a random resized crop: area uniform in `scale` of the image, width over height log-uniform in
 * `ratio`, position uniform. If no try fits, the largest centred crop whose ratio lies in the range.
 *
 * The flip is drawn first, so that it does not depend on how many tries the crop takes.
 */
export function randomCrop(height: number, width: number, spec: RandomCropSpec, stream: RandomStream): Crop {
  const flip = stream.uniform() < spec.flip;
  const whole = { sourceHeight: height, sourceWidth: width, flip };
  const between = (low: number, high: number): number => low + (high - low) * stream.uniform();
  const [low, high] = spec.ratio;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const area = height * width * between(...spec.scale);
    const ratio = Math.exp(between(Math.log(low), Math.log(high)));
    const w = roundHalfEven(Math.sqrt(area * ratio));
    const h = roundHalfEven(Math.sqrt(area / ratio));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    return { top: stream.int(height - h + 1), left: stream.int(width - w + 1), height: h, width: w, ...whole };
  }
  const ratio = width / height;
  const w = ratio > high ? Math.max(1, roundHalfEven(height * high)) : width;
  const h = ratio < low ? Math.max(1, roundHalfEven(width / low)) : height;
  return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w, ...whole };
}

export interface Size {
  readonly height: number;
  readonly width: number;
}

/** The source's size after resizing so that it just covers `size`: for squares the shorter side to it, the longer one rounded down. */
export function coveringSize(source: Size, { height, width }: Size): Size {
  return height * source.width >= width * source.height
    ? { height, width: Math.floor((height * source.width) / source.height) }
    : { height: Math.floor((width * source.height) / source.width), width };
}

/** A whole image resized, and the window of the result that is kept. */
export interface CentreCrop extends Size {
  readonly window: Box;
}

/**
 * Evaluation's view: resized so that it just covers the asked size divided by `fraction`, then cut at the centre.
 * For squares this is "shorter side to size / fraction, centre crop of size", the longer side rounded down.
 */
export function centreCrop(source: Size, size: Size, fraction: number): CentreCrop {
  const { height, width } = coveringSize(source, { height: Math.floor(size.height / fraction), width: Math.floor(size.width / fraction) });
  const window = {
    top: roundHalfEven((height - size.height) / 2),
    left: roundHalfEven((width - size.width) / 2),
    height: size.height,
    width: size.width,
  };
  return { height, width, window };
}
