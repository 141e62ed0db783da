import type { RandomStream } from '@mimlab/core';
import { mapped, type Picture } from './picture.js';

export const gaussianNoise = (picture: Picture, deviation: number, stream: RandomStream): Picture => mapped(picture, (value) => value + deviation * stream.normal());

/** As many photons as chance lets arrive, where white means `photons` of them. */
export const shotNoise = (picture: Picture, photons: number, stream: RandomStream): Picture => mapped(picture, (value) => poisson(value * photons, stream) / photons);

/** Values that become black or white, as often. */
export const impulseNoise = (picture: Picture, share: number, stream: RandomStream): Picture =>
  mapped(picture, (value) => (stream.uniform() < share ? (stream.uniform() < 0.5 ? 1 : 0) : value));

/** One draw with this mean, by going up the distribution until it reaches a uniform number. */
export function poisson(mean: number, stream: RandomStream): number {
  const target = stream.uniform();
  // So far out that nothing is left of the distribution, should rounding keep the sum below the target.
  const most = mean + 40 * Math.sqrt(mean) + 40;
  let probability = Math.exp(-mean);
  let sum = probability;
  let count = 0;
  while (sum <= target && count < most) {
    count++;
    probability *= mean / count;
    sum += probability;
  }
  return count;
}
