import { randomStream } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SourceImage } from '../contract.js';
import { corrupt, CORRUPTIONS, type CorruptionName, type CorruptOptions, type Severity } from './corrupt.js';

/** Waves of several lengths in soft colours, so that blurs, noise and shifts all show. */
function scene(height: number, width: number, channels = 3): SourceImage {
  const pixels = Uint8Array.from({ length: height * width * channels }, (_, place) => {
    const [y, x, c] = [Math.floor(place / (width * channels)), Math.floor(place / channels) % width, place % channels];
    return 110 + 45 * Math.sin(x / 2 + c) + 30 * Math.sin(y / 3 - c) + 20 * Math.sin((x + y) / 11);
  });
  return { height, width, channels, pixels };
}

const severities: readonly Severity[] = [1, 2, 3, 4, 5];
const run = (image: SourceImage, name: CorruptionName, severity: Severity, label = 0, options: CorruptOptions = {}): Promise<SourceImage> => corrupt(image, name, severity, randomStream('test', label), options);

/** Root mean square of the difference. */
const distance = (a: SourceImage, b: SourceImage): number => Math.sqrt(a.pixels.reduce((sum, value, place) => sum + (value - b.pixels[place]!) ** 2, 0) / a.pixels.length);
const distances = async (image: SourceImage, name: CorruptionName, options: CorruptOptions = {}): Promise<number[]> => Promise.all(severities.map(async (severity) => distance(image, await run(image, name, severity, 0, options))));

const random: readonly CorruptionName[] = ['gaussian_noise', 'shot_noise', 'impulse_noise', 'glass_blur', 'motion_blur', 'snow', 'frost', 'fog', 'elastic_transform'];

describe('corrupt', () => {
  it('knows the fifteen corruptions of ImageNet-C', () => {
    expect(CORRUPTIONS).toEqual([
      ...['gaussian_noise', 'shot_noise', 'impulse_noise', 'defocus_blur', 'glass_blur', 'motion_blur', 'zoom_blur', 'snow', 'frost', 'fog', 'brightness'],
      ...['contrast', 'elastic_transform', 'pixelate', 'jpeg_compression'],
    ]);
  });

  describe.each(CORRUPTIONS)('%s', (name) => {
    const image = scene(48, 64);

    it('is a function of image, severity and stream', async () => {
      const before = Uint8Array.from(image.pixels);
      const first = await run(image, name, 3);
      expect(first).toMatchObject({ height: 48, width: 64, channels: 3 });
      expect((await run(image, name, 3)).pixels).toEqual(first.pixels);
      expect(image.pixels).toEqual(before);
    });

    it('differs between streams where something is drawn', async () => {
      const [first, second] = await Promise.all([1, 2].map((label) => run(image, name, 3, label)));
      expect(distance(first!, second!) > 0).toBe(random.includes(name));
    });

    it('changes grey images and leaves them grey', async () => {
      const grey = scene(48, 64, 1);
      const changed = await run(grey, name, 5);
      expect(changed).toMatchObject({ height: 48, width: 64, channels: 1 });
      expect(distance(changed, grey)).toBeGreaterThan(0);
    });
  });

  // Elastic transforms change their kind: far and stiff at first, near and loose later.
  describe.each(CORRUPTIONS.filter((name) => name !== 'elastic_transform'))('%s', (name) => {
    it('moves the image further away at severity 5 than at 1', async () => {
      const [first, , , , last] = await distances(scene(48, 64), name);
      expect(first).toBeGreaterThan(0);
      expect(last).toBeGreaterThan(first!);
    });

    it('moves small images further away at severity 5, by the parameters for them', async () => {
      const [first, , , , last] = await distances(scene(32, 32), name, { parameters: 'cifar' });
      expect(last).toBeGreaterThan(first!);
    });
  });

  it.each<CorruptionName>(['gaussian_noise', 'shot_noise', 'impulse_noise', 'defocus_blur', 'brightness', 'contrast', 'fog', 'jpeg_compression'])('%s grows with every severity', async (name) => {
    const measured = await distances(scene(64, 64), name);
    expect([...measured].sort((a, b) => a - b)).toEqual(measured);
  });

  it('bends images further from severity 3 to 5 of elastic transforms, and far at 1', async () => {
    const [first, , third, , fifth] = await distances(scene(64, 64), 'elastic_transform');
    expect(fifth).toBeGreaterThan(third!);
    expect(first).toBeGreaterThan(third!);
    for (const small of await distances(scene(32, 32), 'elastic_transform', { parameters: 'cifar' })) expect(small).toBeGreaterThan(0);
  });

  it('takes images of any size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.constantFrom(...CORRUPTIONS), fc.constantFrom(...severities), async (height, width, name, severity) => {
        const { pixels } = await run(scene(height, width), name, severity);
        expect(pixels).toHaveLength(height * width * 3);
      }),
      { numRuns: 60 },
    );
  });

  it('refuses names, severities and channels that there are not', async () => {
    await expect(corrupt(scene(4, 4), 'rain' as CorruptionName, 1, randomStream(0))).rejects.toThrow(/there is no corruption 'rain'\n.*gaussian_noise/);
    await expect(corrupt(scene(4, 4), 'fog', 6 as Severity, randomStream(0))).rejects.toThrow(/there is no severity 6\n.*1 to 5/);
    await expect(corrupt(scene(4, 4, 2), 'fog', 1, randomStream(0))).rejects.toThrow(/images of 2 channels/);
  });
});
