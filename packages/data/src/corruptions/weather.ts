import type { RandomStream } from '@mimlab/core';
import { motionBlur } from './blurs.js';
import { clip, clippedZoom, mapped, plane, type Picture } from './picture.js';
import { plasma } from './plasma.js';

const quantized = (picture: Picture, round: (value: number) => number): Picture => mapped(picture, (value) => round(clip(value) * 255) / 255);

const brightnessOf = ({ channels, values }: Picture, pixel: number): number => {
  const [r, g, b] = values.subarray(pixel * channels, pixel * channels + channels);
  return channels === 1 ? (r as number) : 0.299 * (r as number) + 0.587 * (g as number) + 0.114 * (b as number);
};

/** Flakes drawn out by the wind, twice (the second time turned by half a turn), over a paler picture. */
export function snow(picture: Picture, [mean, deviation, zoom, least, radius, sigma, kept]: readonly [number, number, number, number, number, number, number], stream: RandomStream): Picture {
  const { height, width } = picture;
  const flakes = mapped(clippedZoom(plane(height, width, () => mean + deviation * stream.normal()), zoom), (value) => (value < least ? 0 : value));
  const { values: layer } = quantized(motionBlur(quantized(flakes, Math.floor), radius, sigma, -135 + 90 * stream.uniform()), Math.round);
  return mapped(picture, (value, _, pixel) => {
    const pale = kept * value + (1 - kept) * Math.max(value, brightnessOf(picture, pixel) * 1.5 + 0.5);
    return pale + (layer[pixel] as number) + (layer[layer.length - 1 - pixel] as number);
  });
}

/** Ice is a little blue: brightness of red, green and blue. */
const ICE = [0.86, 0.94, 1] as const;

/**
 * Frost laid over the picture. The benchmark takes cuttings of six photographs; here the frost is made: a haze of coarse
 * plasma, and crystals along the ridges of finer ones. Weights are the published ones, the texture is not, so numbers
 * must not be compared with those of the benchmark.
 */
export function frost(picture: Picture, [kept, amount]: readonly [number, number], stream: RandomStream): Picture {
  const { height, width, channels } = picture;
  const haze = plasma(height, width, 2, stream).values;
  const ridges = [1.7, 1.5].map((decay) => plasma(height, width, decay, stream).values);
  const ice = haze.map((value, pixel) => {
    const crystals = ridges.map((ridge) => (1 - Math.abs(2 * (ridge[pixel] as number) - 1)) ** 4);
    return clip(0.25 + 0.35 * value + 0.55 * Math.max(...crystals));
  });
  return mapped(picture, (value, place, pixel) => kept * value + amount * (ice[pixel] as number) * (channels === 1 ? 1 : (ICE[place % channels] as number)));
}

/** Plasma added, then darkened so that the brightest value stays about where it was. */
export function fog(picture: Picture, [amount, decay]: readonly [number, number], stream: RandomStream): Picture {
  const most = picture.values.reduce((high, value) => Math.max(high, value), 0);
  const { values } = plasma(picture.height, picture.width, decay, stream);
  return mapped(picture, (value, _, pixel) => ((value + amount * (values[pixel] as number)) * most) / (most + amount));
}

/** Adds to the value of hue, saturation and value: the largest channel rises, the others in proportion. */
export function brightness(picture: Picture, amount: number): Picture {
  const { channels, values } = picture;
  return mapped(picture, (value, _, pixel) => {
    const most = values.subarray(pixel * channels, (pixel + 1) * channels).reduce((high, channel) => Math.max(high, channel), 0);
    const raised = clip(most + amount);
    return most === 0 ? raised : (value * raised) / most;
  });
}
