import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, PluginError, type SamplerState } from '@mimlab/core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Loader, LoaderBatch, LoaderOptions } from '../contract.js';
import { stripePlugin, type StripeConfig } from '../testing/stripe-plugin.js';
import { plainPng, temporaryFolder, writeFile, writeMnist } from '../testing/tiny-data.js';
import { createLoader } from './create-loader.js';

const folder = temporaryFolder();
const mnist = join(folder, 'mnist');
beforeAll(() => writeMnist(mnist, 11));

const base: LoaderOptions = {
  data: { dataset: 'mnist', split: 'train', path: mnist },
  image: { height: 4, width: 4, channels: 1 },
  augment: { kind: 'none' },
  batch: 4,
  seed: 1,
  workers: 0,
  prefetch: 2,
  shuffle: false,
};
const cropping = { kind: 'random-resized-crop', scale: [0.2, 1], ratio: [3 / 4, 4 / 3], flip: 0.5 } as const;
const withPlans = (config: StripeConfig = {}): Pick<LoaderOptions, 'plans' | 'image' | 'seed'> => ({ plans: stripePlugin(folder, config), image: { height: 4, width: 8, channels: 1 }, seed: 5 });

/** Plain copies of what a batch holds. */
interface Seen {
  readonly ids: number[];
  readonly labels: number[];
  readonly inputs: Record<string, { shape: readonly number[]; data: number[] }>;
  readonly crops: LoaderBatch['crops'];
}

async function seen(loader: Loader, epoch = 0, from = 0): Promise<Seen[]> {
  const all: Seen[] = [];
  for await (const batch of loader.epoch(epoch, from)) {
    const inputs = Object.fromEntries(Object.entries(batch.inputs).map(([name, { shape, data }]) => [name, { shape, data: [...data] }]));
    all.push({ ids: [...batch.sampleIds], labels: [...batch.labels], inputs, crops: batch.crops });
    batch.release();
  }
  return all;
}

const load = async (options: Partial<LoaderOptions> = {}, epoch = 0, from = 0): Promise<Seen[]> => seen(await createLoader({ ...base, ...options }), epoch, from);

describe('an evaluation epoch', () => {
  it('goes through the data set in order and keeps the short last batch', async () => {
    const batches = await load();
    expect(batches.map(({ ids }) => ids)).toEqual([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]);
    expect(batches[2]?.labels).toEqual([8, 9, 0]);
    expect(batches[2]?.inputs['images']?.shape).toEqual([3, 4, 4, 1]);
  });

  it('delivers the pixels of the images', async () => {
    const images = (await load())[1]?.inputs['images'];
    // Image 4 starts at 28 and counts up.
    expect(images?.data.slice(0, 16)).toEqual(Array.from({ length: 16 }, (_, p) => 28 + p));
  });

  it('restricts itself to a subset', async () => {
    expect((await load({ subset: [9, 3, 3] })).map(({ ids }) => ids)).toEqual([[9, 3, 3]]);
  });
});

describe('a training epoch', () => {
  const training = { shuffle: true, augment: cropping };

  it('drops the short last batch', async () => {
    const loader = await createLoader({ ...base, ...training });
    expect([loader.batchesPerEpoch, loader.size, loader.dataset.size]).toEqual([2, 11, 11]);
    expect(await seen(loader)).toHaveLength(2);
  });

  it('is the same again for the same seed and epoch', async () => {
    expect(await load(training, 3)).toEqual(await load(training, 3));
  });

  it('differs between epochs and between seeds in order and in crops', async () => {
    const [a, b, c] = [await load(training, 0), await load(training, 1), await load({ ...training, seed: 2 }, 0)];
    for (const other of [b, c]) {
      expect(other.flatMap(({ ids }) => ids)).not.toEqual(a.flatMap(({ ids }) => ids));
      const cropOf = (batches: Seen[], id: number): unknown => batches.flatMap(({ ids, crops }) => ids.map((found, i) => (found === id ? crops[i] : undefined))).find((crop) => crop !== undefined);
      const both = a.flatMap(({ ids }) => ids).filter((id) => other.some(({ ids }) => ids.includes(id)));
      expect(both.some((id) => JSON.stringify(cropOf(a, id)) !== JSON.stringify(cropOf(other, id)))).toBe(true);
    }
  });

  it('starts in the middle with the batches it would have had', async () => {
    expect(await load(training, 2, 1)).toEqual((await load(training, 2)).slice(1));
    expect(await load(training, 2, 2)).toEqual([]);
  });

  it('augments a sample alike whatever batch it is in', async () => {
    const pixels = (batches: Seen[], size: number): Map<number, string> =>
      new Map(batches.flatMap(({ ids, inputs }) => ids.map((id, i) => [id, String(inputs['images']?.data.slice(i * size, (i + 1) * size))] as const)));
    const four = pixels(await load({ ...training, shuffle: false, batch: 4 }), 16);
    const three = pixels(await load({ ...training, shuffle: false, batch: 3 }), 16);
    expect(four).toEqual(three);
  });

  it('may run twice at once', async () => {
    const loader = await createLoader({ ...base, ...training });
    const [a, b] = await Promise.all([seen(loader, 0), seen(loader, 0)]);
    expect(a).toEqual(b);
  });
});

describe('plans', () => {
  it('come with every batch, one for each image', async () => {
    const [first, , last] = await load(withPlans());
    expect(first?.inputs['plan.visible']?.shape).toEqual([4, 4]);
    expect(first?.inputs['plan.retained']?.shape).toEqual([4, 3]);
    expect(first?.inputs['plan.aux.corner']?.shape).toEqual([4, 2]);
    expect(last?.inputs['plan.visible']?.shape).toEqual([3, 4]);
    const rows = Array.from({ length: 4 }, (_, b) => String(first?.inputs['plan.visible']?.data.slice(b * 4, b * 4 + 4)));
    expect(new Set(rows).size).toBeGreaterThan(1);
  });

  it('do not depend on the batch a sample is in', async () => {
    const visible = (batches: Seen[]): number[] => batches.flatMap(({ inputs }) => inputs['plan.visible']?.data ?? []);
    expect(visible(await load({ ...withPlans(), batch: 3 }))).toEqual(visible(await load({ ...withPlans(), batch: 11 })));
  });

  it('change with the epoch and the seed', async () => {
    const visible = async (options: Partial<LoaderOptions>, epoch: number): Promise<unknown> => (await load({ ...withPlans(), ...options }, epoch))[0]?.inputs['plan.visible'];
    expect(await visible({}, 0)).not.toEqual(await visible({}, 1));
    expect(await visible({}, 0)).not.toEqual(await visible({ seed: 6 }, 0));
  });

  it('see the crop of the image', async () => {
    const [first] = await load({ ...withPlans(), augment: cropping });
    expect(first?.inputs['plan.aux.corner']?.data).toEqual(first?.crops.flatMap(({ top, left }) => [top, left]));
  });

  it('are one for the whole batch where the sampler says so', async () => {
    const batches = await load(withPlans({ scope: 'batch' }));
    for (const { inputs, ids } of batches) {
      const visible = inputs['plan.visible']?.data ?? [];
      expect(visible).toEqual(ids.flatMap(() => visible.slice(0, 4)));
      expect(inputs['plan.aux.corner']?.shape).toEqual([2]);
    }
    expect(batches[0]?.inputs['plan.visible']?.data.slice(0, 4)).not.toEqual(batches[1]?.inputs['plan.visible']?.data.slice(0, 4));
  });

  it('follow a grid that is given', async () => {
    const grid = { rows: 3, columns: 3 };
    await expect(load({ ...withPlans(), grid })).resolves.toBeDefined();
    expect((await load({ ...withPlans(), grid }))[0]?.inputs['plan.roles']?.shape).toEqual([4, 9] satisfies [number, number]);
  });

  it('name the sample they cannot be made for', async () => {
    await expect(load(withPlans({ failAt: 6 }))).rejects.toThrow('train #6: the sampler made no usable plan: no plan today');
  });

  it('are checked', async () => {
    const error: unknown = await load(withPlans({ wrongAt: 2 })).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).message).toMatch(/train #2: the sampler made no usable plan: .*listed twice/);
  });
});

describe('host targets', () => {
  it('are computed from the augmented pixels', async () => {
    const [first] = await load({ ...withPlans({ hostTargets: true }), augment: cropping });
    const pixels = first?.inputs['images']?.data ?? [];
    const means = Array.from({ length: 4 }, (_, b) => Math.fround(pixels.slice(b * 32, (b + 1) * 32).reduce((sum, value) => sum + value, 0) / 32));
    expect(first?.inputs['host.mean']).toEqual({ shape: [4, 1], data: means });
  });

  it.each([
    [2, '2'],
    [0, 'no'],
  ])('are refused where they are %d numbers in place of one', async (hostNumbers, told) => {
    const loading = load(withPlans({ hostTargets: true, hostNumbers }));
    await expect(loading).rejects.toThrow(PluginError);
    await expect(loading).rejects.toThrow(new RegExp(`host target 'mean': computed ${told} numbers, its shape \\[1\\] has 1\\n.*author of the plugin`));
  });

  it('are left out where the target has none', async () => {
    expect(Object.keys((await load(withPlans()))[0]?.inputs ?? {}).filter((name) => name.startsWith('host.'))).toEqual([]);
  });
});

describe('buffers', () => {
  it('are used again once a batch is released', async () => {
    const buffers = new Set<unknown>();
    const loader = await createLoader(base);
    for (let epoch = 0; epoch < 3; epoch++) {
      for await (const batch of loader.epoch(epoch)) {
        buffers.add(batch.inputs['images']?.data.buffer);
        batch.release();
        batch.release();
      }
    }
    expect(buffers.size).toBe(1);
  });

  it('stay untouched while a batch is held', async () => {
    const loader = await createLoader(base);
    const held: LoaderBatch[] = [];
    for await (const batch of loader.epoch(0)) held.push(batch);
    const fresh = await load();
    expect(held.map(({ inputs }) => [...(inputs['images']?.data ?? [])])).toEqual(fresh.map(({ inputs }) => inputs['images']?.data));
  });
});

describe('the state of a sampler', () => {
  /** Sample i keeps the numbers 10 i and the version. */
  const stateOf = (version: number, samples = 11): SamplerState => ({
    version,
    width: 2,
    values: Float32Array.from({ length: 2 * samples }, (_, i) => (i % 2 === 0 ? 5 * i : version)),
  });
  const rows = async (loader: Loader, state?: SamplerState): Promise<[number, number[] | undefined][]> => {
    const found: [number, number[] | undefined][] = [];
    for await (const { inputs, sampleIds, release } of loader.epoch(0, 0, state)) {
      const aux = inputs['plan.aux.state'];
      sampleIds.forEach((id, place) => found.push([id, aux && [...aux.data.subarray(2 * place, 2 * place + 2)]]));
      release();
    }
    return found;
  };

  it('reaches the plan of each sample', async () => {
    const loader = await createLoader({ ...base, ...withPlans(), shuffle: true });
    const found = await rows(loader, stateOf(3));
    expect(found).toHaveLength(8);
    for (const [id, numbers] of found) expect(numbers).toEqual([10 * id, 3]);
  });

  it('is absent where none is given, and for plans of whole batches', async () => {
    for (const [config, state] of [[{}, undefined], [{ scope: 'batch' }, stateOf(1)]] as const) {
      const found = await rows(await createLoader({ ...base, ...withPlans(config) }), state);
      expect(found.every(([, numbers]) => numbers === undefined)).toBe(true);
    }
  });

  it('is refused if it belongs to a data set of another size', async () => {
    const loader = await createLoader({ ...base, ...withPlans() });
    expect(() => loader.epoch(0, 0, stateOf(2, 10))).toThrow('the state of version 2 holds 20 numbers, 2 for each of the 11 samples are expected');
  });
});

describe('whole images', () => {
  it('come once each, in data-set order, without plans and host targets', async () => {
    const loader = await createLoader({ ...base, ...withPlans({ hostTargets: true }), augment: cropping, shuffle: true });
    const ids: number[] = [];
    for await (const { inputs, sampleIds, crops, release } of loader.wholeImages()) {
      expect(Object.keys(inputs)).toEqual(['images']);
      expect(crops.every(({ top, left, height, width, sourceHeight, sourceWidth, flip }) => top === 0 && left === 0 && height === sourceHeight && width === sourceWidth && !flip)).toBe(true);
      ids.push(...sampleIds);
      release();
    }
    expect(ids).toEqual(Array.from({ length: 11 }, (_, id) => id));
  });

  it('leave the epochs as they are', async () => {
    const options = { ...base, ...withPlans(), augment: cropping, shuffle: true };
    const loader = await createLoader(options);
    for await (const { release } of loader.wholeImages()) release();
    expect(await seen(loader, 1)).toEqual(await load(options, 1));
  });
});

describe('a loader', () => {
  it('tells how long its stages took, once', async () => {
    const loader = await createLoader({ ...base, ...withPlans(), augment: cropping });
    await seen(loader);
    const spent = loader.timings();
    expect(Object.keys(spent).sort()).toEqual(['augment', 'decode', 'host', 'plan', 'read', 'wait']);
    expect(spent.augment).toBeGreaterThan(0);
    expect(spent.plan).toBeGreaterThan(0);
    expect(loader.timings().augment).toBe(0);
  });

  describe('of image files', () => {
    const path = join(folder, 'squares');
    const files = { data: { dataset: 'imagefolder', path, split: 'train', channels: 3 }, image: { height: 4, width: 4, channels: 3 }, augment: cropping, batch: 2 } as const;
    beforeAll(async () => {
      for (let i = 0; i < 4; i++) writeFile(join(path, `a/${i}.png`), await plainPng(6, 5, [40 * i, 1, 2]));
    });

    it.each([0, 2])('gives the same batches with and without keeping decoded images (%d workers)', async (workers) => {
      const kept = await createLoader({ ...base, ...files, workers, cacheBytes: 1 << 20 });
      for (const epoch of [0, 1, 2]) expect(await seen(kept, epoch)).toEqual(await load(files, epoch));
      await kept.close();
    });

    it('reads and decodes a data set that fits once', async () => {
      const loader = await createLoader({ ...base, ...files, cacheBytes: 1 << 20 });
      await seen(loader);
      const first = loader.timings();
      expect(first.read).toBeGreaterThan(0);
      expect(first.decode).toBeGreaterThan(0);
      for (let i = 0; i < 4; i++) rmSync(join(path, `a/${i}.png`));
      await seen(loader, 1);
      expect(loader.timings().read).toBe(0);
    });
  });

  it('names the image it cannot decode', async () => {
    const path = join(folder, 'images');
    writeFile(join(path, 'a/1.png'), await plainPng(4, 4, [1, 2, 3]));
    writeFile(join(path, 'a/2.png'), 'broken');
    const images = { data: { dataset: 'imagefolder', path, split: 'train', channels: 1 }, batch: 2 } as const;
    await expect(load(images)).rejects.toThrow(`${join(path, 'a/2.png')}: cannot be decoded`);
  });

  it.each([
    [{ batch: 0 }, 'batch is 0'],
    [{ batch: 2.5 }, 'batch is 2.5'],
    [{ workers: -1 }, 'workers is -1'],
    [{ prefetch: -1 }, 'prefetch is -1'],
    [{ subset: [11] }, 'sample 11 does not exist'],
    [{ subset: [] }, '0 images give no batch of 4'],
    [{ batch: 12, shuffle: true }, '11 images give no batch of 12'],
  ] as const)('refuses %o', async (options, message) => {
    await expect(createLoader({ ...base, ...options })).rejects.toThrow(message);
  });

  it('refuses to start at a batch that does not exist', async () => {
    const loader = await createLoader(base);
    for (const from of [-1, 4, 0.5]) expect(() => loader.epoch(0, from)).toThrow(`there is no batch ${from}`);
  });

  it('gives no batch after it was closed', async () => {
    const loader = await createLoader(base);
    await loader.close();
    await expect(seen(loader)).rejects.toThrow('the loader was closed');
  });

  it('passes on why a plugin cannot be used', async () => {
    await expect(createLoader({ ...base, ...withPlans({ refuse: true }) })).rejects.toThrow('refused on purpose');
    const missing = { ...stripePlugin(folder), method: { module: join(folder, 'missing.mjs'), config: {} } };
    await expect(createLoader({ ...base, plans: missing })).rejects.toThrow(/missing\.mjs: cannot be loaded/);
  });
});

