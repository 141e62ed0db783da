import type { HostTensor } from '@mimlab/core';
import type { Loader, LoaderBatch } from '@mimlab/data';
import type { Engine } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cpuEngine } from '../testing/tiny-evaluation.js';
import { collectRows, createRowReader, imagesOf, rowsOfLoader } from './loader-rows.js';

let engine: Engine;
beforeAll(async () => {
  engine = await cpuEngine();
});
afterAll(() => {
  engine.dispose();
});

/** Images of one pixel. */
const pixels = (...values: number[]): HostTensor => ({ shape: [values.length, 1, 1, 1], dtype: 'uint8', data: Uint8Array.from(values) });
const sizes: number[] = [];
/** A row [pixel, pixel + bias] for each image. */
const reading = () => ({
  engine,
  output: 'rows',
  extra: (batch: number) => {
    sizes.push(batch);
    return { bias: { shape: [batch, 1], dtype: 'float32' as const, data: new Float32Array(batch).fill(0.5) } };
  },
  step: {
    name: 'read',
    state: [],
    compute: (_: unknown, { images, bias }: Readonly<Record<string, tf.Tensor>>) => {
      const column = tf.reshape(tf.cast(images as tf.Tensor, 'float32'), [-1, 1]);
      return { outputs: { rows: tf.concat([column, tf.add(column, bias as tf.Tensor)], 1) } };
    },
  },
});

describe('a reader of rows', () => {
  it('fills a smaller batch up and gives rows for its images alone', async () => {
    const reader = createRowReader(reading());
    sizes.length = 0;
    expect([...(await reader.rows(pixels(1, 2, 3)))]).toEqual([1, 1.5, 2, 2.5, 3, 3.5]);
    expect([...(await reader.rows(pixels(9)))]).toEqual([9, 9.5]);
    expect(sizes).toEqual([3]);
    reader.dispose();
  });

  it('takes a larger batch behind a small one: the next set may have more images', async () => {
    const reader = createRowReader(reading());
    sizes.length = 0;
    await reader.rows(pixels(1));
    expect([...(await reader.rows(pixels(4, 5)))]).toEqual([4, 4.5, 5, 5.5]);
    expect([...(await reader.rows(pixels(6)))]).toEqual([6, 6.5]);
    expect(sizes).toEqual([1, 2]);
    reader.dispose();
  });

  it('gives rows that later batches leave alone', async () => {
    const reader = createRowReader(reading());
    const first = await reader.rows(pixels(1));
    await reader.rows(pixels(2));
    expect([...first]).toEqual([1, 1.5]);
    reader.dispose();
  });
});

const released: number[] = [];
/** A loader of `size` images whose batches have the given pixels; labels are a hundred less. */
function loaderOf(size: number, batches: readonly (readonly number[])[]): Loader {
  return {
    size,
    async *epoch() {
      for (const [index, values] of batches.entries()) {
        yield { inputs: { images: pixels(...values) }, labels: Int32Array.from(values, (value) => value - 100), index, release: () => released.push(index) } as unknown as LoaderBatch;
      }
    },
  } as unknown as Loader;
}

describe('the rows of a loader', () => {
  it('stand one below the other in its order, with their labels', async () => {
    const { values, width, count, labels } = await rowsOfLoader({ ...reading(), loader: loaderOf(3, [[101, 102], [103]]) });
    expect([...values]).toEqual([101, 101.5, 102, 102.5, 103, 103.5]);
    expect([width, count, ...labels]).toEqual([2, 3, 1, 2, 3]);
  });

  it('are counted after every batch', async () => {
    const seen: (readonly [number, number])[] = [];
    await rowsOfLoader({ ...reading(), loader: loaderOf(3, [[101, 102], [103]]), progress: (done, total) => seen.push([done, total]) });
    expect(seen).toEqual([[2, 3], [3, 3]]);
  });

  it('give a batch back also where they cannot be read', async () => {
    released.length = 0;
    await expect(collectRows(loaderOf(2, [[101], [102]]), () => Promise.reject(new Error('torn')))).rejects.toThrow('torn');
    expect(released).toEqual([0]);
  });

  it('stop where whoever watches throws', async () => {
    released.length = 0;
    const stop = (): void => {
      throw new Error('enough');
    };
    await expect(rowsOfLoader({ ...reading(), loader: loaderOf(2, [[101], [102]]), progress: stop })).rejects.toThrow('enough');
    expect(released).toEqual([0]);
  });

  it('are none of no images', async () => {
    expect(await collectRows(loaderOf(0, []), () => Promise.reject(new Error('asked')))).toMatchObject({ width: 0, count: 0 });
  });

  it('are refused from a loader that leaves samples out', async () => {
    await expect(rowsOfLoader({ ...reading(), loader: loaderOf(3, [[101, 102]]) })).rejects.toThrow(/the loader gave 2 of 3 samples\n.*does not shuffle/);
  });

  it('need images', () => {
    expect(() => imagesOf({ inputs: {} } as unknown as LoaderBatch)).toThrow(`the loader gives no 'images'`);
  });
});
