import { describe, expect, it } from 'vitest';
import type { Dataset, SourceImage } from '../contract.js';
import { cachedDataset, openImageCache } from './image-cache.js';

/** Images of 2 x (3 + index) pixels, sample by sample; counts how often each is decoded. */
function countingDataset(size: number, width = (index: number): number => 3 + index): { dataset: Dataset; decoded: number[] } {
  const decoded: number[] = [];
  const image = async (index: number): Promise<SourceImage> => {
    decoded.push(index);
    if (index >= size) throw new Error(`no sample ${index}`);
    return { height: 2, width: width(index), channels: 1, pixels: Uint8Array.from({ length: 2 * width(index) }, (_, p) => 10 * index + p) };
  };
  const dataset: Dataset = {
    name: 'counting', size, classes: ['only'], statistics: { mean: [0.5], std: [0.5] }, channels: 1, image,
    label: () => 0, describe: (index) => `#${index}`, fingerprint: async (index) => `#${index}`,
  }; // prettier-ignore
  return { dataset, decoded };
}

describe('a cache of decoded images', () => {
  it('gives the same images again without decoding them', async () => {
    const { dataset, decoded } = countingDataset(3);
    const plain = await Promise.all([0, 1, 2].map((index) => dataset.image(index)));
    const cached = cachedDataset(dataset, (await openImageCache(dataset, 1000))!);
    for (let round = 0; round < 3; round++) for (const index of [2, 0, 1]) expect(await cached.image(index)).toEqual(plain[index]);
    // Three times plain, once to judge the size, once into the cache.
    expect(decoded).toEqual([0, 1, 2, 0, 2, 0, 1]);
  });

  it('is shared by all who have its memory, as workers do', async () => {
    const { dataset, decoded } = countingDataset(2);
    const memory = (await openImageCache(dataset, 1000))!;
    await cachedDataset(dataset, memory).image(1);
    decoded.length = 0;
    const other = countingDataset(2);
    expect([...(await cachedDataset(other.dataset, structuredClone(memory)).image(1)).pixels]).toEqual([10, 11, 12, 13, 14, 15, 16, 17]);
    expect(other.decoded).toEqual([]);
  });

  it('is not made for a data set that would not fit, nor without memory', async () => {
    const { dataset, decoded } = countingDataset(100);
    expect(await openImageCache(dataset, 799)).toBeUndefined();
    expect(await openImageCache(dataset, 800)).toBeDefined();
    decoded.length = 0;
    expect(await openImageCache(dataset, 0)).toBeUndefined();
    expect(decoded).toEqual([]);
  });

  it('is not made where one array could not hold it, however much memory is granted', async () => {
    const { dataset } = countingDataset(9);
    // Nine images that say they have 2 GiB each.
    const huge = { ...dataset, image: async (): Promise<SourceImage> => ({ height: 2 ** 16, width: 2 ** 15, channels: 1, pixels: new Uint8Array(0) }) };
    expect(await openImageCache(huge, 2 ** 40)).toBeUndefined();
  });

  it('never takes more than it may, and goes on decoding what found no room', async () => {
    // The first image promises 8 bytes each; the others need 48.
    const { dataset, decoded } = countingDataset(10, (index) => (index === 0 ? 3 : 20));
    const memory = (await openImageCache(dataset, 100))!;
    expect(memory.pixels.length).toBeLessThanOrEqual(100);
    const cached = cachedDataset(dataset, memory);
    for (let index = 1; index < 10; index++) await cached.image(index);
    decoded.length = 0;
    for (let index = 1; index < 10; index++) expect((await cached.image(index)).pixels[0]).toBe(10 * index);
    expect(decoded).toEqual([3, 4, 5, 6, 7, 8, 9]);
  });

  it('keeps one copy when two ask for the same image at once', async () => {
    const { dataset } = countingDataset(2);
    const memory = (await openImageCache(dataset, 1000))!;
    const cached = cachedDataset(dataset, memory);
    const [a, b] = await Promise.all([cached.image(0), cached.image(0)]);
    expect(a).toEqual(b);
    // One image of 6 bytes takes one unit.
    expect(memory.index[memory.index.length - 1]).toBe(1);
  });

  it('leaves the report of an image that cannot be read to its turn', async () => {
    const { dataset } = countingDataset(2);
    expect(await openImageCache(dataset, 1000, 7)).toBeUndefined();
    const cached = cachedDataset(dataset, (await openImageCache(dataset, 1000))!);
    await expect(cached.image(5)).rejects.toThrow('no sample 5');
    await expect(cached.image(-1)).resolves.toMatchObject({ height: 2, width: 2 });
  });
});
