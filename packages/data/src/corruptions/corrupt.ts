import { ConfigError, DataError, type RandomStream } from '@mimlab/core';
import type { SourceImage } from '../contract.js';
import { defocusBlur, glassBlur, motionBlur, zoomBlur } from './blurs.js';
import { contrast, elasticTransform, jpegCompression, pixelate } from './digital.js';
import { gaussianNoise, impulseNoise, shotNoise } from './noise.js';
import { CORRUPTION_PARAMETERS, type CorruptionParameters, type CorruptionSet, type Severities } from './parameters.js';
import { imageOf, pictureOf, type Picture } from './picture.js';
import { brightness, fog, frost, snow } from './weather.js';

/** The corruptions by the names of ImageNet-C's folders. */
export type CorruptionName = keyof CorruptionParameters;
export type Severity = 1 | 2 | 3 | 4 | 5;

type Corruption<Value> = (image: SourceImage, value: Value, stream: RandomStream) => SourceImage | Promise<SourceImage>;

const onPicture =
  <Value>(change: (picture: Picture, value: Value, stream: RandomStream) => Picture): Corruption<Value> =>
  (image, value, stream) =>
    imageOf(change(pictureOf(image), value, stream));

const RUN: { readonly [Name in CorruptionName]: Corruption<CorruptionParameters[Name][number]> } = {
  gaussian_noise: onPicture(gaussianNoise),
  shot_noise: onPicture(shotNoise),
  impulse_noise: onPicture(impulseNoise),
  defocus_blur: onPicture(defocusBlur),
  glass_blur: onPicture(glassBlur),
  motion_blur: onPicture((picture, [radius, sigma], stream) => motionBlur(picture, radius, sigma, -45 + 90 * stream.uniform())),
  zoom_blur: onPicture(zoomBlur),
  snow: onPicture(snow),
  frost: onPicture(frost),
  fog: onPicture(fog),
  brightness: onPicture(brightness),
  contrast: onPicture(contrast),
  elastic_transform: onPicture(elasticTransform),
  pixelate,
  jpeg_compression: jpegCompression,
};

/** The fifteen, in the order of the paper. */
export const CORRUPTIONS = Object.keys(RUN) as readonly CorruptionName[];

export interface CorruptOptions {
  /** Published for images of 224 pixels (`imagenet`, default) or of 32 (`cifar`); lengths are in pixels whatever the size. */
  readonly parameters?: CorruptionSet;
}

/**
 * One of the fifteen common corruptions of Hendrycks & Dietterich (2019) on an image of any size, 1 or 3 channels: a
 * function of its arguments. Everything but the texture of `frost` follows the published scripts; random draws are our
 * own, so single images differ from those of the benchmark.
 * @throws DataError for other channels; ConfigError for names and severities that there are not.
 */
export async function corrupt(image: SourceImage, name: CorruptionName, severity: Severity, stream: RandomStream, { parameters = 'imagenet' }: CorruptOptions = {}): Promise<SourceImage> {
  if (!CORRUPTIONS.includes(name)) throw new ConfigError(`there is no corruption '${String(name)}'`, { remedy: `Choose from ${CORRUPTIONS.join(', ')}.` });
  if (![1, 2, 3, 4, 5].includes(severity)) throw new ConfigError(`there is no severity ${String(severity)}`, { remedy: 'Severities are 1 to 5.' });
  if (image.channels !== 1 && image.channels !== 3) throw new DataError(`images of ${image.channels} channels cannot be corrupted`, { remedy: 'Give images of 1 or 3.' });
  return corrupted(name, CORRUPTION_PARAMETERS[parameters], image, severity, stream);
}

async function corrupted<Name extends CorruptionName>(name: Name, parameters: CorruptionParameters, image: SourceImage, severity: Severity, stream: RandomStream): Promise<SourceImage> {
  const values = parameters[name] as Severities<CorruptionParameters[Name][number]>;
  const run = RUN[name] as Corruption<CorruptionParameters[Name][number]>;
  return run(image, values[severity - 1] as CorruptionParameters[Name][number], stream);
}
