import type { PixelStatistics, RandomStream } from '@mimlab/core';
import type { SourceImage } from '../contract.js';

/** Boxes tried before the image is left as it is (timm's RandomErasing). */
const TRIES = 10;
const AREA = { least: 0.02, most: 1 / 3 } as const;
/** Height over width lies between this and its inverse. */
const LEAST_RATIO = 0.3;

/**
 * Random erasing (Zhong et al. 2017) as in timm's mode `pixel` with one box: area uniform between 2 % and a third of the
 * image, height over width log-uniform, filled in place with noise.
 *
 * The noise is standard normal after normalisation with `statistics`. Images are still bytes here, so it is rounded to
 * them and cut at black and white: with ImageNet's statistics values beyond about two deviations are.
 * @param probability of erasing anything
 */
export function eraseBox(image: SourceImage, probability: number, { mean, std }: PixelStatistics, stream: RandomStream): void {
  if (stream.uniform() >= probability) return;
  const { height, width, channels, pixels } = image;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const area = (AREA.least + (AREA.most - AREA.least) * stream.uniform()) * height * width;
    const ratio = Math.exp(Math.log(LEAST_RATIO) * (1 - 2 * stream.uniform()));
    const boxHeight = Math.round(Math.sqrt(area * ratio));
    const boxWidth = Math.round(Math.sqrt(area / ratio));
    if (boxHeight >= height || boxWidth >= width) continue;
    const top = stream.int(height - boxHeight + 1);
    const left = stream.int(width - boxWidth + 1);
    for (let y = top; y < top + boxHeight; y++) {
      for (let x = left; x < left + boxWidth; x++) {
        for (let c = 0; c < channels; c++) {
          const value = 255 * ((mean[c] as number) + (std[c] as number) * stream.normal());
          pixels[(y * width + x) * channels + c] = Math.min(255, Math.max(0, Math.round(value)));
        }
      }
    }
    return;
  }
}
