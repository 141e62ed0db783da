import { ConfigError, type RandomStream } from '@mimlab/core';
import type { SourceImage } from '../contract.js';
import { affine, rotation } from './affine.js';
import { autoContrast, brightness, color, contrast, equalize, invert, posterize, sharpness, solarize, solarizeAdd } from './tone-operations.js';

/**
 * RandAugment (Cubuk et al. 2019) as timm runs it for `rand-m9-mstd0.5-inc1`, the policy of the MAE and SimMIM
 * fine-tuning recipes: see timm/data/auto_augment.py.
 */
export interface RandAugmentPolicy {
  /** Mean of the magnitudes, which lie in 0 .. 10. */
  readonly magnitude: number;
  /** Their standard deviation. */
  readonly deviation: number;
  /** Operations drawn for each image. */
  readonly layers: number;
}

const FULL = 10;
/** An operation that was drawn is carried out this often. */
const PROBABILITY = 0.5;

/** Whether a text is a policy that can be run: `rand-m9-mstd0.5-inc1`, keys in any order, `n` operations optional. */
export function isRandAugment(text: string): boolean {
  return parsed(text) !== undefined;
}

/** @throws ConfigError if the text is no policy. */
export function parseRandAugment(text: string): RandAugmentPolicy {
  const policy = parsed(text);
  if (policy !== undefined) return policy;
  throw new ConfigError(`'${text}' is no policy of RandAugment`, { place: 'augment.randAugment', remedy: `Write it as 'rand-m9-mstd0.5-inc1': magnitude m 0 .. 10, its deviation mstd, n operations an image (default 2), inc1 for operations that grow with the magnitude.` });
}

function parsed(text: string): RandAugmentPolicy | undefined {
  const [head, ...parts] = text.split('-');
  if (head !== 'rand') return undefined;
  const values = new Map<string, number>();
  for (const part of parts) {
    const match = /^(mstd|m|n|inc)(\d+(?:\.\d+)?)$/.exec(part);
    if (match === null || values.has(match[1] as string)) return undefined;
    values.set(match[1] as string, Number(match[2]));
  }
  const { m: magnitude, mstd: deviation = 0, n: layers = 2, inc } = Object.fromEntries(values) as Readonly<Partial<Record<'m' | 'mstd' | 'n' | 'inc', number>>>;
  if (inc !== 1 || magnitude === undefined || magnitude > FULL || !Number.isInteger(layers) || layers < 1) return undefined;
  return { magnitude, deviation, layers };
}

interface Step {
  readonly image: SourceImage;
  /** The magnitude as a share of the full one. */
  readonly level: number;
  readonly fill: readonly number[];
  /** 1 or -1, as often. */
  sign(): number;
}

const enhanced = (change: (image: SourceImage, factor: number) => SourceImage) => ({ image, level, sign }: Step): SourceImage => change(image, 1 + sign() * 0.9 * level);

/** In the order that timm lists them. */
const OPERATIONS: readonly (readonly [name: string, run: (step: Step) => SourceImage])[] = [
  ['auto-contrast', ({ image }) => autoContrast(image)],
  ['equalize', ({ image }) => equalize(image)],
  ['invert', ({ image }) => invert(image)],
  ['rotate', ({ image, level, fill, sign }) => affine(image, rotation(image, sign() * 30 * level), fill)],
  ['posterize', ({ image, level }) => posterize(image, 4 - Math.trunc(4 * level))],
  ['solarize', ({ image, level }) => solarize(image, 256 - Math.trunc(256 * level))],
  ['solarize-add', ({ image, level }) => solarizeAdd(image, Math.trunc(110 * level))],
  ['color', enhanced(color)],
  ['contrast', enhanced(contrast)],
  ['brightness', enhanced(brightness)],
  ['sharpness', enhanced(sharpness)],
  ['shear-x', ({ image, level, fill, sign }) => affine(image, [1, sign() * 0.3 * level, 0, 0, 1, 0], fill)],
  ['shear-y', ({ image, level, fill, sign }) => affine(image, [1, 0, 0, sign() * 0.3 * level, 1, 0], fill)],
  ['translate-x', ({ image, level, fill, sign }) => affine(image, [1, 0, sign() * 0.45 * level * image.width, 0, 1, 0], fill)],
  ['translate-y', ({ image, level, fill, sign }) => affine(image, [1, 0, 0, 0, 1, sign() * 0.45 * level * image.height], fill)],
];

export const RAND_AUGMENT_OPERATIONS: readonly string[] = OPERATIONS.map(([name]) => name);

/** One operation of those above at a magnitude; the stream gives the sign where there is one. */
export function runOperation(name: string, image: SourceImage, magnitude: number, fill: readonly number[], stream: RandomStream): SourceImage {
  const operation = OPERATIONS.find(([known]) => known === name);
  if (operation === undefined) throw new ConfigError(`RandAugment has no operation '${name}'`, { remedy: `Its operations: ${RAND_AUGMENT_OPERATIONS.join(', ')}.` });
  return operation[1]({ image, level: magnitude / FULL, fill, sign: () => (stream.uniform() < 0.5 ? 1 : -1) });
}

/**
 * Changes an image by operations drawn with replacement.
 * @param fill value of each channel (0 .. 255) where pixels are moved in from outside
 */
export function randAugment(image: SourceImage, { magnitude, deviation, layers }: RandAugmentPolicy, fill: readonly number[], stream: RandomStream): SourceImage {
  const drawn = Array.from({ length: layers }, () => RAND_AUGMENT_OPERATIONS[stream.int(RAND_AUGMENT_OPERATIONS.length)] as string);
  return drawn.reduce((changed, name) => {
    if (stream.uniform() >= PROBABILITY) return changed;
    const level = Math.min(FULL, Math.max(0, magnitude + deviation * stream.normal()));
    return runOperation(name, changed, level, fill, stream);
  }, image);
}
