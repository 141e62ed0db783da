import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { augmentSpec, configStatistics, DataConfig, datasetRef, imageSpec, pixelStatistics } from './config.js';
import { IMAGENET_STATISTICS, MNIST_STATISTICS } from './datasets/statistics.js';

/** Messages of a refused section, each with its key. */
function problems(section: unknown): string[] {
  const result = DataConfig.safeParse(section);
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('the section data', () => {
  it('means the embedded MNIST with the official augmentation when it is empty', () => {
    const config = DataConfig.parse({});
    expect(datasetRef(config, 'train')).toEqual({ dataset: 'mnist', split: 'train' });
    expect(imageSpec(config)).toEqual({ height: 28, width: 28, channels: 1 });
    expect(augmentSpec(config)).toEqual({ kind: 'random-resized-crop', scale: [0.2, 1], ratio: [3 / 4, 4 / 3], flip: 0.5 });
    expect([config.workers, config.prefetch, config.cacheMiB]).toEqual([1, 4, 256]);
  });

  it('is unchanged when it is read again', () => {
    const config = DataConfig.parse({ dataset: 'imagefolder', path: 'images', augment: { kind: 'none' } });
    expect(DataConfig.parse(config)).toEqual(config);
  });

  it('takes one number or two for the size', () => {
    expect(imageSpec(DataConfig.parse({ size: 32 }))).toEqual({ height: 32, width: 32, channels: 1 });
    expect(imageSpec(DataConfig.parse({ size: [16, 24], channels: 3 }))).toEqual({ height: 16, width: 24, channels: 3 });
  });

  it('knows the usual sizes', () => {
    expect(imageSpec(DataConfig.parse({ dataset: 'cifar10', path: 'c' }))).toEqual({ height: 32, width: 32, channels: 3 });
    expect(imageSpec(DataConfig.parse({ dataset: 'imagefolder', path: 'i' }))).toEqual({ height: 224, width: 224, channels: 3 });
  });

  it('refers to each data set with its folder', () => {
    expect(datasetRef(DataConfig.parse({ path: 'idx' }), 'test')).toEqual({ dataset: 'mnist', path: 'idx', split: 'test' });
    expect(datasetRef(DataConfig.parse({ dataset: 'cifar10', path: 'c' }), 'test')).toEqual({ dataset: 'cifar10', path: 'c', split: 'test' });
    expect(datasetRef(DataConfig.parse({ dataset: 'imagefolder', path: 'i', channels: 1 }), 'train')).toEqual({ dataset: 'imagefolder', path: 'i', split: 'train', channels: 1 });
  });

  it.each(['fashion-mnist', 'cifar100'] as const)('refers to %s by its folder alone', (dataset) => {
    expect(datasetRef(DataConfig.parse({ dataset, path: 'd' }), 'test')).toEqual({ dataset, path: 'd', split: 'test' });
  });

  it.each(['inaturalist', 'parquet'] as const)('refers to %s by its folder and the channels asked for', (dataset) => {
    expect(datasetRef(DataConfig.parse({ dataset, path: 'd' }), 'train')).toEqual({ dataset, path: 'd', split: 'train', channels: 3 });
  });

  it.each([
    ['fashion-mnist', 28, 1],
    ['cifar100', 32, 3],
    ['inaturalist', 224, 3],
    ['parquet', 224, 3],
  ])('knows the usual images of %s, without opening it', (dataset, side, channels) => {
    const config = DataConfig.parse({ dataset, path: 'd' });
    expect(imageSpec(config)).toEqual({ height: side, width: side, channels });
    expect(configStatistics(config).mean).toHaveLength(channels);
  });

  it('keeps the other settings of an augmentation when one is given', () => {
    expect(augmentSpec(DataConfig.parse({ augment: { kind: 'random-resized-crop', flip: 0 } }))).toMatchObject({ scale: [0.2, 1], flip: 0 });
    expect(augmentSpec(DataConfig.parse({ augment: { kind: 'none' } }))).toEqual({ kind: 'none', cropFraction: 1 });
    expect(augmentSpec(DataConfig.parse({ augment: { kind: 'simple-crop', flip: 0 } }))).toEqual({ kind: 'simple-crop', padding: 4, flip: 0 });
  });

  it('gives fills and noise the statistics of the data', () => {
    expect(augmentSpec(DataConfig.parse({ mean: [0.5], std: [0.25], augment: { kind: 'simple-crop', erase: 0.25 } }))).toMatchObject({ erase: 0.25, statistics: { mean: [0.5], std: [0.25] } });
    expect(augmentSpec(DataConfig.parse({ augment: { kind: 'simple-crop', randAugment: 'rand-m9-inc1' } }))).toMatchObject({ statistics: MNIST_STATISTICS });
  });

  it.each([
    [{ dataset: 'cifar10' }, `path: 'cifar10' needs the folder of the data set`],
    [{ dataset: 'fashion-mnist' }, `path: 'fashion-mnist' needs the folder of the data set`],
    [{ dataset: 'imagefolder' }, `path: 'imagefolder' needs the folder of the data set`],
    [{ mean: [0.5, 0.5, 0.5] }, 'mean: has 3 numbers, the images have 1 channels'],
    [{ channels: 3, std: [0.5] }, 'std: has 1 numbers, the images have 3 channels'],
    [{ augment: { kind: 'random-resized-crop', scale: [1, 0.2] } }, 'augment.scale: the first number must not exceed the second'],
    [{ size: [9, 4], augment: { kind: 'simple-crop' } }, 'augment.padding: 4 pixels cannot be reflected into an image of 9 x 4: less than its shorter side'],
    [{ augment: { kind: 'random-resized-crop', colorJitter: 0.4, randAugment: 'rand-m9-inc1' } }, `augment.colorJitter: RandAugment changes colours already: leave one of 'colorJitter' and 'randAugment' out`],
    [{ augment: { kind: 'simple-crop', randAugment: 'rand-m9' } }, `augment.randAugment: expected a policy as 'rand-m9-mstd0.5-inc1': m 0 .. 10, mstd, n (operations an image), inc1`],
    [{ augment: { kind: 'random-resized-crop', ratio: [2, 1] } }, 'augment.ratio: the first number must not exceed the second'],
  ])('refuses %o', (section, message) => {
    expect(problems(section)).toEqual([message]);
  });

  it.each([
    [{ dataset: 'imagenet' }, 'dataset'],
    [{ size: 0 }, 'size'],
    [{ channels: 2 }, 'channels'],
    [{ workers: -1 }, 'workers'],
    [{ prefetch: 1.5 }, 'prefetch'],
    [{ cacheMiB: -1 }, 'cacheMiB'],
    [{ std: [0] }, 'std.0'],
    [{ augment: { kind: 'random-resized-crop', scale: [0, 1] } }, 'augment.scale.0'],
    [{ augment: { kind: 'random-resized-crop', flip: 2 } }, 'augment.flip'],
    [{ augment: { kind: 'crop' } }, 'augment.kind'],
    [{ augment: { kind: 'simple-crop', erase: 1.5 } }, 'augment.erase'],
    [{ augment: { kind: 'simple-crop', colorJitter: -1 } }, 'augment.colorJitter'],
  ])('refuses %o and names the key', (section, key) => {
    expect(problems(section).map((problem) => problem.slice(0, problem.indexOf(':')))).toEqual([key]);
  });

  it('refuses unknown keys', () => {
    expect(problems({ worker: 2 })[0]).toContain('worker');
    expect(problems({ augment: { kind: 'none', flip: 1 } })[0]).toContain('flip');
  });

  it('can be written as a JSON schema with a description for every key', () => {
    const schema = z.toJSONSchema(DataConfig, { io: 'input' }) as { properties: Record<string, { description?: string }> };
    for (const [key, { description }] of Object.entries(schema.properties)) expect(description, key).toBeTruthy();
  });
});

describe('pixelStatistics', () => {
  it('are those of the data set unless given', () => {
    expect(pixelStatistics(DataConfig.parse({}), { statistics: MNIST_STATISTICS })).toEqual(MNIST_STATISTICS);
    expect(pixelStatistics(DataConfig.parse({ mean: [0.5], std: [0.25] }), { statistics: MNIST_STATISTICS })).toEqual({ mean: [0.5], std: [0.25] });
    expect(pixelStatistics(DataConfig.parse({ mean: [0.5] }), { statistics: MNIST_STATISTICS })).toEqual({ mean: [0.5], std: [0.3081] });
  });

  it('fit the channels in use', () => {
    expect(pixelStatistics(DataConfig.parse({ channels: 3 }), { statistics: MNIST_STATISTICS }).mean).toEqual([0.1307, 0.1307, 0.1307]);
    expect(pixelStatistics(DataConfig.parse({ dataset: 'cifar10', path: 'c', channels: 1 }), { statistics: IMAGENET_STATISTICS }).std).toHaveLength(1);
  });
});
