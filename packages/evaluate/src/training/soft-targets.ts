import { randomStream, type HostTensor, type RandomStream } from '@mimlab/core';
import { z } from 'zod';

/** Blending of a batch with itself reversed. */
export const MixConfig = z.strictObject({
  mixup: z.number().min(0).default(0).describe('Mixup: the share of an image is drawn from Beta(mixup, mixup); 0 turns it off.'),
  cutmix: z.number().min(0).default(0).describe('Cutmix: the area of an image that stays is drawn from Beta(cutmix, cutmix); 0 turns it off.'),
  switch: z.number().min(0).max(1).default(0.5).describe('Probability of cutmix where both are on.'),
});
export type MixConfig = z.infer<typeof MixConfig>;

/** How one batch is blended: image b keeps `keep` of its own pixels and takes the rest from image B - 1 - b. */
export interface Mix {
  /** Share of its own pixel at every place, [height, width, 1]. */
  readonly keep_HW1: HostTensor;
  /** Share of its own label. */
  readonly lambda: number;
}

/** Gamma(shape, 1) by Marsaglia and Tsang (2000); shapes below 1 by boosting. */
function gamma(shape: number, random: RandomStream): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** A draw of Beta(a, a). */
export function symmetricBeta(a: number, random: RandomStream): number {
  const [x, y] = [gamma(a, random), gamma(a, random)];
  return x + y === 0 ? Number(random.uniform() < 0.5) : x / (x + y);
}

/**
 * Draws how a batch is blended, from the stream (seed, 'mix', epoch, batch); undefined where neither is on.
 * Mixup takes one share for all pixels. Cutmix takes a box from the other image: sides int(H sqrt(1 - lambda)) and
 * int(W sqrt(1 - lambda)) around a centre that is uniform over the pixels, cut off at the edges; lambda is then what is
 * left of the area. Source: timm 0.3.2, Mixup in batch mode (specification, section 6).
 */
export function drawMix(config: MixConfig, size: { readonly height: number; readonly width: number }, seed: number, epoch: number, batch: number): Mix | undefined {
  const { mixup, cutmix } = config;
  if (mixup === 0 && cutmix === 0) return undefined;
  const random = randomStream(seed, 'mix', epoch, batch);
  const cuts = cutmix > 0 && (mixup === 0 || random.uniform() < config.switch);
  const drawn = symmetricBeta(cuts ? cutmix : mixup, random);
  const { height, width } = size;
  const keep = new Float32Array(height * width).fill(cuts ? 1 : drawn);
  const keep_HW1: HostTensor = { shape: [height, width, 1], dtype: 'float32', data: keep };
  if (!cuts) return { keep_HW1, lambda: drawn };
  const side = (length: number): readonly [number, number] => {
    const half = Math.floor(Math.trunc(length * Math.sqrt(1 - drawn)) / 2);
    const centre = random.int(length);
    return [Math.max(0, centre - half), Math.min(length, centre + half)];
  };
  const [top, bottom] = side(height);
  const [left, right] = side(width);
  for (let row = top; row < bottom; row++) keep.fill(0, row * width + left, row * width + right);
  return { keep_HW1, lambda: 1 - ((bottom - top) * (right - left)) / (height * width) };
}

/**
 * Labels as shares of classes, smoothed: s / classes everywhere, 1 - s more at the label; blended with those of the batch
 * reversed where the images are.
 * @returns [B, classes]
 */
export function softTargets(labels: Int32Array, classes: number, smoothing: number, lambda = 1): HostTensor {
  const data = new Float32Array(labels.length * classes).fill(smoothing / classes);
  labels.forEach((label, b) => {
    for (const [of, share] of [[label, lambda], [labels[labels.length - 1 - b] as number, 1 - lambda]] as const) {
      data[b * classes + of] = (data[b * classes + of] as number) + share * (1 - smoothing);
    }
  });
  return { shape: [labels.length, classes], dtype: 'float32', data };
}
