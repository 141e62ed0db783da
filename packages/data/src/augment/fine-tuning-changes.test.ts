import { randomStream } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import type { FineTuningAugment, SourceImage } from '../contract.js';
import { augmentInto } from './augment.js';
import { colorJitter } from './color-jitter.js';
import { eraseBox } from './erase.js';

const source: SourceImage = { height: 16, width: 16, channels: 3, pixels: Uint8Array.from({ length: 768 }, (_, i) => (i * 31) % 256) };

function cropped(changes: FineTuningAugment, seed: number, image = source, channels = 3): number[] {
  const out = new Uint8Array(256 * channels);
  augmentInto(image, { height: 16, width: 16, channels }, { kind: 'random-resized-crop', scale: [1, 1], ratio: [1, 1], flip: 0, ...changes }, randomStream(seed), out);
  return [...out];
}

const flat = (side = 20, channels = 1): SourceImage => ({ height: side, width: side, channels, pixels: new Uint8Array(side * side * channels).fill(77) });
const statistics = { mean: [0.5], std: [0.1] };

describe('random erasing', () => {
  it('is left out as often as asked for', () => {
    const erased = Array.from({ length: 400 }, (_, seed) => {
      const image = flat();
      eraseBox(image, 0.25, statistics, randomStream(seed));
      return image.pixels.some((value) => value !== 77);
    }).filter(Boolean).length;
    // Binomial with mean 100 and deviation 8.7.
    expect(Math.abs(erased - 100)).toBeLessThan(40);
  });

  it('fills one box of 2 % to a third of the image', () => {
    for (let seed = 0; seed < 100; seed++) {
      const image = flat();
      eraseBox(image, 1, { mean: [1], std: [0.001] }, randomStream(seed));
      const changed = [...image.pixels.keys()].filter((place) => image.pixels[place] !== 77);
      const rows = changed.map((place) => Math.floor(place / 20));
      const columns = changed.map((place) => place % 20);
      const area = (Math.max(...rows) - Math.min(...rows) + 1) * (Math.max(...columns) - Math.min(...columns) + 1);
      expect(changed).toHaveLength(area);
      // Rounded sides may lie a little beyond the shares.
      expect(area).toBeGreaterThanOrEqual(5);
      expect(area).toBeLessThanOrEqual(155);
    }
  });

  it('fills it with noise of the given mean and deviation', () => {
    const values = Array.from({ length: 60 }, (_, seed) => {
      const image = flat();
      eraseBox(image, 1, statistics, randomStream(seed));
      return [...image.pixels].filter((value) => value !== 77);
    }).flat();
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    expect(Math.abs(mean - 127.5)).toBeLessThan(2);
    expect(Math.abs(deviation - 25.5)).toBeLessThan(2);
  });

  it('leaves an image alone that no box fits into', () => {
    const image = flat(1);
    eraseBox(image, 1, statistics, randomStream(0));
    expect([...image.pixels]).toEqual([77]);
  });
});

describe('colour jitter', () => {
  it('changes nothing at strength 0', () => {
    expect(colorJitter(source, 0, randomStream(1)).pixels).toEqual(source.pixels);
  });

  it('changes colours within its strength', () => {
    const half: SourceImage = flat();
    const values = Array.from({ length: 100 }, (_, seed) => colorJitter(half, 0.4, randomStream(seed)).pixels[0]!);
    // A flat grey image has only brightness to change.
    expect(Math.min(...values)).toBeGreaterThanOrEqual(Math.floor(77 * 0.6));
    expect(Math.max(...values)).toBeLessThanOrEqual(Math.ceil(77 * 1.4));
    expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(40);
  });
});

describe('changes after the crop', () => {
  it('are none unless asked for', () => {
    expect(cropped({}, 3)).toEqual([...source.pixels]);
  });

  it.each<FineTuningAugment>([{ randAugment: 'rand-m9-mstd0.5-inc1' }, { colorJitter: 0.4 }, { erase: 1 }])('come from the stream: %o', (changes) => {
    const results = Array.from({ length: 6 }, (_, seed) => cropped(changes, seed));
    expect(cropped(changes, 5)).toEqual(results[5]);
    expect(new Set(results.map((pixels) => pixels.join())).size).toBeGreaterThan(3);
  });

  it('come after a simple crop too', () => {
    const out = new Uint8Array(768);
    augmentInto(source, { height: 16, width: 16, channels: 3 }, { kind: 'simple-crop', padding: 0, flip: 0, colorJitter: 1 }, randomStream(0), out);
    expect([...out]).not.toEqual([...source.pixels]);
  });

  it('work on grey images', () => {
    const grey: SourceImage = { ...source, channels: 1, pixels: source.pixels.slice(0, 256) };
    expect(cropped({ randAugment: 'rand-m9-n6-inc1', erase: 1 }, 1, grey, 1)).not.toEqual([...grey.pixels]);
  });

  it('erase with noise of the given statistics', () => {
    const pixels = cropped({ erase: 1, statistics: { mean: [0, 0, 0], std: [1e-6, 1e-6, 1e-6] } }, 2, { ...source, pixels: new Uint8Array(768).fill(9) });
    expect(new Set(pixels)).toEqual(new Set([0, 9]));
  });
});
