import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError } from '@mimlab/core';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { tinyRun, writeTinyDigits } from '../run/tiny-run.test-support.js';
import { preparedImages, spreadTestImages } from './prepared-images.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-prepared-'));
const data = writeTinyDigits(join(folder, 'data'), 12);
afterAll(() => {
  rmSync(folder, { recursive: true });
});
/** Every pixel of test image i has the value i. */
const values = (images: readonly Uint8Array[]): (number | undefined)[] => images.map(([first]) => first);

describe('images to draw', () => {
  it('are the first test images where none is named', async () => {
    const images = await preparedImages(await tinyRun(data), [], 3);
    expect(values(images)).toEqual([0, 1, 2]);
    expect(images.map(({ length }) => length)).toEqual([64, 64, 64]);
  });

  it('are all test images where there are fewer than asked for', async () => {
    expect(await preparedImages(await tinyRun(data), [], 100)).toHaveLength(12);
  });

  it('are those that are named, in their order, brought to size and channels of the run, whatever the count', async () => {
    const path = (name: string): string => join(folder, name);
    await sharp({ create: { width: 40, height: 30, channels: 3, background: { r: 90, g: 90, b: 90 } } }).png().toFile(path('grau ß.png'));
    await sharp({ create: { width: 8, height: 9, channels: 3, background: { r: 7, g: 7, b: 7 } } }).png().toFile(path('b.png'));
    const images = await preparedImages(await tinyRun(data), [path('grau ß.png'), path('b.png'), path('grau ß.png')], 1);
    expect(values(images)).toEqual([90, 7, 90]);
    expect(images.map(({ length }) => length)).toEqual([64, 64, 64]);
  });

  it('are augmented in no way', async () => {
    const path = join(folder, 'ramp.png');
    const ramp = Uint8Array.from({ length: 64 }, (_, at) => at * 3);
    await sharp(ramp, { raw: { width: 8, height: 8, channels: 1 } }).png().toFile(path);
    expect((await preparedImages(await tinyRun(data), [path], 1))[0]).toEqual(ramp);
  });

  it('that are missing are named', async () => {
    const error: unknown = await preparedImages(await tinyRun(data), [join(folder, 'gone.png')], 1).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toContain('gone.png');
  });
});

describe('images from all over the test set', () => {
  it('lie equally far apart', async () => {
    expect(values(await spreadTestImages(await tinyRun(data), 4))).toEqual([0, 3, 6, 9]);
    expect(values(await spreadTestImages(await tinyRun(data), 5))).toEqual([0, 2, 4, 7, 9]);
  });

  it('come once each where more are asked for than there are', async () => {
    expect(values(await spreadTestImages(await tinyRun(data), 100))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
});
