import { randomStream } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SourceImage } from '../contract.js';
import { isRandAugment, parseRandAugment, RAND_AUGMENT_OPERATIONS, randAugment, runOperation } from './rand-augment.js';

const image: SourceImage = { height: 18, width: 20, channels: 3, pixels: Uint8Array.from({ length: 1080 }, (_, i) => 20 + ((i * i * 7) % 211)) };
const fill = [124, 116, 104];
const run = (name: string, magnitude: number, label = 0): number[] => [...runOperation(name, image, magnitude, fill, randomStream(label)).pixels];

describe('a policy of RandAugment', () => {
  it('is read from the notation of timm', () => {
    expect(parseRandAugment('rand-m9-mstd0.5-inc1')).toEqual({ magnitude: 9, deviation: 0.5, layers: 2 });
    expect(parseRandAugment('rand-n3-inc1-m7')).toEqual({ magnitude: 7, deviation: 0, layers: 3 });
  });

  it.each(['', 'rand', 'rand-m9', 'rand-m9-inc0', 'rand-m11-inc1', 'rand-n0-m9-inc1', 'rand-n1.5-m9-inc1', 'rand-m9-m8-inc1', 'rand-m9-inc1-w0', 'augmix-m9-inc1', 'rand-m-inc1'])('is refused as %j', (text) => {
    expect(isRandAugment(text)).toBe(false);
    expect(() => parseRandAugment(text)).toThrow(/is no policy of RandAugment\n.*rand-m9-mstd0.5-inc1/);
  });
});

describe('the operations', () => {
  it('are the fifteen of timm that grow with the magnitude', () => {
    expect(RAND_AUGMENT_OPERATIONS).toHaveLength(15);
    expect(new Set(RAND_AUGMENT_OPERATIONS).size).toBe(15);
  });

  it.each(['rotate', 'color', 'contrast', 'brightness', 'sharpness', 'shear-x', 'shear-y', 'translate-x', 'translate-y', 'solarize', 'solarize-add'])('%s changes nothing at magnitude 0', (name) => {
    expect(run(name, 0)).toEqual([...image.pixels]);
  });

  it.each(RAND_AUGMENT_OPERATIONS)('%s changes the image at magnitude 9', (name) => {
    expect(run(name, 9)).not.toEqual([...image.pixels]);
  });

  it.each(['rotate', 'color', 'contrast', 'brightness', 'sharpness', 'shear-x', 'shear-y', 'translate-x', 'translate-y'])('%s goes both ways', (name) => {
    expect(new Set(Array.from({ length: 12 }, (_, label) => run(name, 9, label).join())).size).toBe(2);
  });

  it.each(['auto-contrast', 'equalize', 'invert', 'posterize', 'solarize', 'solarize-add'])('%s draws nothing', (name) => {
    expect(new Set(Array.from({ length: 4 }, (_, label) => run(name, 9, label).join())).size).toBe(1);
  });

  it('use the published arguments at magnitude 9', () => {
    const grey: SourceImage = { height: 1, width: 4, channels: 1, pixels: Uint8Array.of(10, 26, 127, 200) };
    const pixels = (name: string): number[] => [...runOperation(name, grey, 9, [0], randomStream(0)).pixels];
    // 4 - int(3.6) = 1 bit; 256 - int(230.4) = 26; int(99) = 99
    expect(pixels('posterize')).toEqual([0, 0, 0, 128]);
    expect(pixels('solarize')).toEqual([10, 229, 128, 55]);
    expect(pixels('solarize-add')).toEqual([109, 125, 226, 200]);
  });

  it('fill what comes from outside', () => {
    const rows = run('translate-y', 10);
    // 0.45 of 18 rows: eight rows lie outside, above or below.
    expect([rows.slice(0, 3), rows.slice(-3)].map((pixel) => pixel.join())).toContain(fill.join());
  });

  it('are refused under other names', () => {
    expect(() => run('sepia', 9)).toThrow(/RandAugment has no operation 'sepia'/);
  });
});

describe('randAugment', () => {
  const policy = parseRandAugment('rand-m9-mstd0.5-inc1');

  it('is a function of the stream and leaves its input alone', () => {
    const before = [...image.pixels];
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const [first, second] = [0, 1].map(() => randAugment(image, policy, fill, randomStream(seed)));
        expect(first!.pixels).toEqual(second!.pixels);
        expect(first).toMatchObject({ height: 18, width: 20, channels: 3 });
        expect([...image.pixels]).toEqual(before);
      }),
      { numRuns: 40 },
    );
  });

  it('leaves an image alone about once in four, when neither operation is carried out', () => {
    const untouched = Array.from({ length: 400 }, (_, seed) => randAugment(image, policy, fill, randomStream(seed))).filter((changed) => changed === image).length;
    // Binomial with mean 100 and deviation 8.7.
    expect(Math.abs(untouched - 100)).toBeLessThan(40);
  });
});
