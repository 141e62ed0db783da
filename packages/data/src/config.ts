import type { ImageSpec, PixelStatistics } from '@mimlab/core';
import { z } from 'zod';
import { isRandAugment } from './augment/rand-augment.js';
import type { AugmentSpec, DatasetRef } from './contract.js';
import { CIFAR100_STATISTICS, CIFAR10_STATISTICS, FASHION_MNIST_STATISTICS, IMAGENET_STATISTICS, MNIST_STATISTICS, statisticsFor } from './datasets/statistics.js';

const fraction = z.number().gt(0).max(1);
const side = z.int().positive();

const flip = z.number().min(0).max(1).default(0.5).describe('Probability of a horizontal flip');
const interpolation = z.enum(['bicubic', 'bilinear']);

/** Of fine-tuning; pre-training recipes have none of them. */
const fineTuningKeys = {
  randAugment: z
    .string()
    .refine(isRandAugment, { error: `expected a policy as 'rand-m9-mstd0.5-inc1': m 0 .. 10, mstd, n (operations an image), inc1` })
    .optional()
    .describe(`RandAugment in timm's notation; the fine-tuning recipes of MAE and SimMIM have 'rand-m9-mstd0.5-inc1'`),
  colorJitter: z.number().min(0).max(1).optional().describe('Most that brightness, contrast and saturation change by, each; not together with randAugment'),
  erase: z.number().min(0).max(1).optional().describe('Probability of one box filled with noise; fine-tuning recipes have 0.25'),
};

const RandomResizedCrop = z.strictObject({
  kind: z.literal('random-resized-crop'),
  scale: z.tuple([fraction, fraction]).default([0.2, 1]).describe('Smallest and largest area of the crop, as fractions of the image'),
  ratio: z.tuple([z.number().positive(), z.number().positive()]).default([3 / 4, 4 / 3]).describe('Least and greatest width over height of the crop'),
  flip,
  interpolation: interpolation.optional().describe('How the crop is resized: bicubic (default, as MAE does), or bilinear (SimMIM)'),
  ...fineTuningKeys,
});

const SimpleCrop = z.strictObject({
  kind: z.literal('simple-crop'),
  padding: z.int().min(0).default(4).describe('Pixels by which every side of the resized image is continued by reflection before the window is drawn'),
  flip,
  interpolation: interpolation.optional().describe('How the image is resized: bicubic (default), or bilinear (MFF)'),
  ...fineTuningKeys,
});

const NoAugmentation = z.strictObject({
  kind: z.literal('none'),
  cropFraction: fraction.default(1).describe('Size over shorter side of the resized image before the centre is cut out'),
});

/** How training images are cut out. Defaults are those of the official MAE pre-training. */
export const AugmentConfig = z.discriminatedUnion('kind', [RandomResizedCrop, SimpleCrop, NoAugmentation]).superRefine((augment, context) => {
  // timm leaves colour jitter out where RandAugment is asked for; asking for both is a mistake to tell about.
  if (augment.kind === 'none' || augment.randAugment === undefined || augment.colorJitter === undefined) return;
  context.addIssue({ code: 'custom', path: ['colorJitter'], message: `RandAugment changes colours already: leave one of 'colorJitter' and 'randAugment' out` });
});

const inOrder = ([low, high]: readonly [number, number]): boolean => low <= high;

/** Section `data` of a configuration. Defaults of augmentation are those of the official MAE recipe. */
export const DataConfig = z
  .strictObject({
    dataset: z.enum(['mnist', 'fashion-mnist', 'cifar10', 'cifar100', 'imagefolder', 'inaturalist', 'parquet']).default('mnist').describe('Kind of data set'),
    path: z.string().min(1).optional().describe('Folder of the data set; MNIST without a path is the embedded one'),
    size: z
      .union([side, z.tuple([side, side])])
      .optional()
      .describe('Side of the images in pixels, or [height, width]; default 28 (mnist, fashion-mnist), 32 (cifar10, cifar100), 224 (others)'),
    channels: z.union([z.literal(1), z.literal(3)]).optional().describe('Channels of the images; default 1 (mnist, fashion-mnist), 3 (others)'),
    mean: z.array(z.number()).min(1).max(3).optional().describe('Mean of each channel on the scale 0..1; default that of the data set, ImageNet for images in files and tables'),
    std: z.array(z.number().positive()).min(1).max(3).optional().describe('Deviation of each channel on the scale 0..1'),
    augment: AugmentConfig.prefault({ kind: 'random-resized-crop' }).describe('Augmentation of pre-training'),
    workers: z.int().min(0).max(256).default(1).describe('Loader threads; 0 loads in the main thread. Results do not depend on it'),
    prefetch: z.int().min(0).max(1024).default(4).describe('Batches made ahead'),
    cacheMiB: z.int().min(0).max(1 << 20).default(256).describe('Memory for decoded images: a data set that fits is decoded once; 0 keeps none'),
  })
  .superRefine((config, context) => {
    const refuse = (path: (string | number)[], message: string): void => context.addIssue({ code: 'custom', path, message });
    if (config.dataset !== 'mnist' && config.path === undefined) refuse(['path'], `'${config.dataset}' needs the folder of the data set`);
    for (const key of ['mean', 'std'] as const) {
      const given = config[key]?.length;
      if (given !== undefined && given !== channelsOf(config)) refuse([key], `has ${given} numbers, the images have ${channelsOf(config)} channels`);
    }
    const { augment } = config;
    if (augment.kind === 'simple-crop' && augment.padding >= Math.min(...sidesOf(config))) {
      refuse(['augment', 'padding'], `${augment.padding} pixels cannot be reflected into an image of ${sidesOf(config).join(' x ')}: less than its shorter side`);
    }
    if (augment.kind !== 'random-resized-crop') return;
    for (const key of ['scale', 'ratio'] as const) if (!inOrder(augment[key])) refuse(['augment', key], 'the first number must not exceed the second');
  });
export type DataConfig = z.infer<typeof DataConfig>;

interface Usual {
  readonly side: number;
  readonly channels: 1 | 3;
  readonly statistics: PixelStatistics;
}

const PHOTOGRAPHS: Usual = { side: 224, channels: 3, statistics: IMAGENET_STATISTICS };

/** What a data set has where the configuration says nothing. */
const USUAL: Readonly<Record<DataConfig['dataset'], Usual>> = {
  mnist: { side: 28, channels: 1, statistics: MNIST_STATISTICS },
  'fashion-mnist': { side: 28, channels: 1, statistics: FASHION_MNIST_STATISTICS },
  cifar10: { side: 32, channels: 3, statistics: CIFAR10_STATISTICS },
  cifar100: { side: 32, channels: 3, statistics: CIFAR100_STATISTICS },
  imagefolder: PHOTOGRAPHS,
  inaturalist: PHOTOGRAPHS,
  parquet: PHOTOGRAPHS,
};

const channelsOf = ({ channels, dataset }: Pick<DataConfig, 'channels' | 'dataset'>): 1 | 3 => channels ?? USUAL[dataset].channels;

function sidesOf({ size, dataset }: Pick<DataConfig, 'size' | 'dataset'>): readonly [height: number, width: number] {
  const sides = size ?? USUAL[dataset].side;
  return typeof sides === 'number' ? [sides, sides] : sides;
}

/** The data set that a configuration names. */
export function datasetRef(config: DataConfig, split: 'train' | 'test'): DatasetRef {
  const { dataset, path } = config;
  if (dataset === 'mnist') return { dataset, split, ...(path === undefined ? {} : { path }) };
  const folder = path as string; // the schema demands it
  switch (dataset) {
    case 'fashion-mnist':
    case 'cifar10':
    case 'cifar100':
      return { dataset, path: folder, split };
    case 'imagefolder':
    case 'inaturalist':
    case 'parquet':
      return { dataset, path: folder, split, channels: channelsOf(config) };
  }
}

/** Size of the images after augmentation. */
export function imageSpec(config: DataConfig): ImageSpec {
  const [height, width] = sidesOf(config);
  return { height, width, channels: channelsOf(config) };
}

/** The augmentation, with the statistics that its fills and noise follow. */
export function augmentSpec(config: DataConfig): AugmentSpec {
  const { augment } = config;
  if (augment.kind === 'none' || (augment.randAugment === undefined && augment.erase === undefined)) return augment;
  return { ...augment, statistics: configStatistics(config) };
}

/** Mean and deviation the step normalises with: those given, else the data set's, for the channels in use. */
export function pixelStatistics(config: DataConfig, dataset: { readonly statistics: PixelStatistics }): PixelStatistics {
  const own = statisticsFor(dataset.statistics, channelsOf(config));
  return { mean: config.mean ?? own.mean, std: config.std ?? own.std };
}

/** As `pixelStatistics`, without opening the data set. */
export const configStatistics = (config: DataConfig): PixelStatistics => pixelStatistics(config, USUAL[config.dataset]);
