import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { CompositionError, DataError, PluginError, type SamplerState } from '@mimlab/core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Loader, LoaderBatch, LoaderOptions } from '../contract.js';
import { stripePlugin, type StripeConfig } from '../testing/stripe-plugin.js';
import { plainPng, temporaryFolder, writeFile, writeMnist } from '../testing/tiny-data.js';
import { createLoader } from './create-loader.js';

/** Workers run the built package: `npx tsc -b packages/data/tsconfig.lib.json`. */
const DIST = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

const folder = temporaryFolder();
const mnist = join(folder, 'mnist');
const images = join(folder, 'images');
const loaders: Loader[] = [];

beforeAll(async () => {
  writeMnist(mnist, 50);
  for (let i = 0; i < 12; i++) writeFile(join(images, `train/${i % 2 === 0 ? 'a' : 'b'}/${String(i).padStart(2, '0')}.png`), await plainPng(5 + i, 9, [10 * i, 255 - i, 7]));
});
afterEach(async () => {
  await Promise.all(loaders.splice(0).map((loader) => loader.close()));
});

const base: LoaderOptions = {
  data: { dataset: 'mnist', split: 'train', path: mnist },
  image: { height: 4, width: 8, channels: 1 },
  augment: { kind: 'random-resized-crop', scale: [0.2, 1], ratio: [3 / 4, 4 / 3], flip: 0.5 },
  batch: 4,
  seed: 1,
  workers: 1,
  prefetch: 3,
  shuffle: true,
};
const plans = (config: StripeConfig = {}): Pick<LoaderOptions, 'plans'> => ({ plans: stripePlugin(folder, config) });

async function start(options: Partial<LoaderOptions> = {}): Promise<Loader> {
  const loader = await createLoader({ ...base, ...options });
  loaders.push(loader);
  return loader;
}

/** A state of the 50 samples whose numbers tell version and sample. */
const stateOf = (version: number): SamplerState => ({ version, width: 1, values: Float32Array.from({ length: 50 }, (_, id) => 100 * version + id) });

/** Everything two epochs deliver, as one comparable value. */
async function delivered(options: Partial<LoaderOptions>, states: readonly (SamplerState | undefined)[] = []): Promise<unknown[]> {
  const loader = await start(options);
  const all: unknown[] = [];
  for (const epoch of [0, 1]) {
    for await (const { inputs, labels, sampleIds, crops, index, release } of loader.epoch(epoch, 0, states[epoch])) {
      const copies = Object.entries(inputs).map(([name, { shape, dtype, data }]) => [name, shape, dtype, [...data]]);
      all.push({ epoch, index, copies, labels: [...labels], sampleIds: [...sampleIds], crops });
      release();
    }
  }
  return all;
}

const threads = (): number => (process.report.getReport() as { workers: unknown[] }).workers.length;

async function consume(loader: Loader): Promise<void> {
  for await (const { release } of loader.epoch(0)) release();
}

it('finds the built package', () => {
  expect(existsSync(DIST), `run 'npx tsc -b packages/data/tsconfig.lib.json' first`).toBe(true);
});

describe('batches made by workers', () => {
  it('may carry arrays of another length each time, in memory used again', async () => {
    const loader = await start({ ...plans({ scope: 'batch', uneven: true }), prefetch: 1 });
    const lengths: number[] = [];
    for await (const { inputs, index, release } of loader.epoch(0)) {
      const uneven = inputs['plan.aux.uneven'];
      lengths.push(uneven?.shape[0] as number);
      expect([...new Set(uneven?.data)]).toEqual([index]);
      expect(inputs['plan.visible']?.data.length).toBe(16);
      release();
    }
    expect(lengths.slice(0, 7)).toEqual([500, 1, 9, 500, 1, 9, 500]);
  });

  it('depend on the state given for their epoch, whichever worker makes them', async () => {
    const states = [undefined, stateOf(1)];
    const local = await delivered({ ...plans(), workers: 0 }, states);
    expect(await delivered({ ...plans(), workers: 2 }, states)).toEqual(local);
    expect(JSON.stringify(local)).toContain('plan.aux.state');
  });

  it('keep to their own state when epochs with different ones run side by side', async () => {
    const loader = await start({ ...plans(), workers: 2 });
    const runs = [stateOf(1), stateOf(2)].map((state) => ({ state, batches: loader.epoch(0, 0, state)[Symbol.asyncIterator]() }));
    for (let i = 0; i < 3; i++) {
      for (const { state, batches } of runs) {
        const { value } = await batches.next();
        const { inputs, sampleIds, release } = value as LoaderBatch;
        expect([...(inputs['plan.aux.state']?.data ?? [])]).toEqual([...sampleIds].map((id) => 100 * state.version + id));
        release();
      }
    }
    for (const { batches } of runs) await batches.return?.();
  });

  it('show whole images as the calling thread does', async () => {
    const pixels = async (workers: number): Promise<number[][]> => {
      const loader = await start({ ...plans(), workers, data: { dataset: 'imagefolder', path: images, split: 'train', channels: 1 } });
      const all: number[][] = [];
      for await (const { inputs, release } of loader.wholeImages()) {
        all.push([...(inputs['images']?.data ?? [])]);
        release();
      }
      return all;
    };
    expect(await pixels(2)).toEqual(await pixels(0));
  });

  it.each([
    ['image plans and host targets', plans({ hostTargets: true })],
    ['one plan for the whole batch', plans({ scope: 'batch' })],
    ['no plans, in evaluation order', { shuffle: false, augment: { kind: 'none' } }],
    ['images in files', { ...plans(), data: { dataset: 'imagefolder', path: images, split: 'train', channels: 1 } }],
    ['colours', { data: { dataset: 'imagefolder', path: images, split: 'train', channels: 3 }, image: { height: 6, width: 6, channels: 3 } }],
  ] as [string, Partial<LoaderOptions>][])('are the same for 0, 1 and 4 workers: %s', async (_, options) => {
    const alone = await delivered({ ...options, workers: 0 });
    expect(alone.length).toBeGreaterThan(2);
    expect(await delivered({ ...options, workers: 1 })).toEqual(alone);
    expect(await delivered({ ...options, workers: 4, prefetch: 7 })).toEqual(alone);
  });

  it('are the same without prefetch', async () => {
    expect(await delivered({ workers: 2, prefetch: 0 })).toEqual(await delivered({ workers: 0 }));
  });

  it('lie on shared memory and are not copied', async () => {
    for await (const { inputs } of (await start()).epoch(0)) expect(inputs['images']?.data.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('use at most one buffer for each batch made ahead, and the one handed out', async () => {
    const loader = await start(plans());
    const buffers = new Set<unknown>();
    for (const epoch of [0, 1, 2]) {
      for await (const { inputs, release } of loader.epoch(epoch)) {
        buffers.add(inputs['images']?.data.buffer);
        release();
      }
    }
    expect(buffers.size).toBeGreaterThan(1);
    expect(buffers.size).toBeLessThanOrEqual(base.prefetch + 1);
  });
});

describe('a slow consumer', () => {
  it('holds the workers back at the batches made ahead', async () => {
    const log = join(folder, 'ahead.log');
    const made = (): number => readFileSync(log, 'utf8').split('\n').length - 1;
    const iterator = (await start({ ...plans({ log }), workers: 2, prefetch: 2 })).epoch(0)[Symbol.asyncIterator]();
    await iterator.next();
    // The batch handed out and two more, of four images each; then nothing.
    await expect.poll(made, { timeout: 10_000 }).toBe(12);
    await sleep(200);
    expect(made()).toBe(12);
    await iterator.return?.();
  });
});

describe('leaving an epoch early', () => {
  it('stops the work in progress and leaves the loader usable', async () => {
    const log = join(folder, 'early.log');
    const loader = await start({ ...plans({ log, slow: 25 }), prefetch: 8 });
    for await (const batch of loader.epoch(0)) {
      batch.release();
      break;
    }
    const atBreak = readFileSync(log, 'utf8');
    await sleep(200);
    expect(readFileSync(log, 'utf8')).toBe(atBreak);
    // Without cancelling, nine batches of four would have been planned.
    expect(atBreak.split('\n').length - 1).toBeLessThan(9 * 4);
    await consume(loader);
  });
});

describe('failures in a worker', () => {
  it('name the sample whose plan cannot be made', async () => {
    const loader = await start(plans({ failAt: 6 }));
    await expect(consume(loader)).rejects.toThrow('train #6: the sampler made no usable plan: no plan today');
    await expect(consume(loader)).rejects.toBeInstanceOf(DataError);
  });

  it('name the image that cannot be decoded', async () => {
    const path = join(folder, 'damaged');
    writeFile(join(path, 'a/1.png'), await plainPng(4, 4, [1, 2, 3]));
    writeFile(join(path, 'a/2.png'), 'broken');
    const loader = await start({ data: { dataset: 'imagefolder', path, split: 'train', channels: 1 }, batch: 2 });
    await expect(consume(loader)).rejects.toThrow(`${join(path, 'a/2.png')}: cannot be decoded`);
  });

  it('leave the batches before them whole', async () => {
    const loader = await start({ ...plans({ failAt: 9 }), shuffle: false });
    const seen: number[] = [];
    const run = async (): Promise<void> => {
      for await (const { index } of loader.epoch(0)) seen.push(index);
    };
    await expect(run()).rejects.toThrow('train #9');
    expect(seen).toEqual([0, 1]);
  });

  it('end the epoch with an error when the thread dies', async () => {
    const loader = await start({ ...plans({ exitAt: 9 }), shuffle: false });
    await expect(consume(loader)).rejects.toThrow(/a loader worker ended unexpectedly \(exit code 7\), while it made batch 2 of epoch 0 \(samples 8, 9, 10, 11\)/);
    await expect(consume(loader)).rejects.toThrow('a loader worker ended unexpectedly');
  });

  it('are of their own class when a plugin cannot be loaded', async () => {
    const missing = { ...stripePlugin(folder), method: { module: join(folder, 'missing.mjs'), config: {} } };
    await expect(start({ plans: missing })).rejects.toBeInstanceOf(PluginError);
    const incomplete = join(folder, 'incomplete.mjs');
    writeFile(incomplete, `export default { kind: 'method', name: 'half', hooks: () => ({}) };`);
    await expect(start({ plans: { ...stripePlugin(folder), method: { module: incomplete, config: {} } } })).rejects.toBeInstanceOf(CompositionError);
  });

  it('end all threads when the loader cannot start', async () => {
    await expect(start({ ...plans({ refuse: true }), workers: 3 })).rejects.toThrow('refused on purpose');
    expect(threads()).toBe(0);
  });
});

describe('closing', () => {
  it('ends every thread', async () => {
    const loader = await start({ workers: 3 });
    await consume(loader);
    expect(threads()).toBe(3);
    await loader.close();
    expect(threads()).toBe(0);
  });

  it('ends an epoch that still waits for batches with an error', async () => {
    const loader = await start({ ...plans({ slow: 20 }) });
    const run = consume(loader);
    const failed = expect(run).rejects.toThrow('the loader was closed');
    await sleep(50);
    await loader.close();
    await failed;
    expect(threads()).toBe(0);
  });

  it('may be done twice', async () => {
    const loader = await start();
    await loader.close();
    await loader.close();
    await expect(consume(loader)).rejects.toThrow('the loader was closed');
  });
});

describe('a process', () => {
  const run = async (body: string): Promise<string> => {
    const script = `import { createLoader } from ${JSON.stringify(DIST)};\nconst loader = await createLoader(${JSON.stringify({ ...base, workers: 2 })});\n${body}`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 });
    return stdout.trim();
  };

  it('ends by itself after the loader is closed', async () => {
    expect(await run(`let n = 0; for await (const b of loader.epoch(0)) { n += b.labels.length; b.release(); } await loader.close(); console.log(n);`)).toBe('48');
  });

  it('is not kept alive by a loader nobody closed', async () => {
    expect(await run(`for await (const b of loader.epoch(0)) break; console.log('left');`)).toBe('left');
  });

  it('waits for the batches it asked for', async () => {
    expect(await run(`const { value } = await loader.epoch(0)[Symbol.asyncIterator]().next(); console.log(value.labels.length);`)).toBe('4');
  });
});
