import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '@mimlab/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { plainPng, temporaryFolder, writeFile } from '../testing/tiny-data.js';
import { openDataset } from './open-dataset.js';

const root = temporaryFolder();
let red: Buffer;
beforeAll(async () => {
  red = await plainPng(2, 3, [255, 0, 0]);
});

const open = (path: string, split: 'train' | 'test' = 'train', channels: 1 | 3 = 3): ReturnType<typeof openDataset> => openDataset({ dataset: 'imagefolder', path, split, channels });
const put = (folder: string, ...names: readonly string[]): string => {
  for (const name of names) writeFile(join(root, folder, name), red);
  return join(root, folder);
};

describe('an image folder', () => {
  it('numbers classes and files in alphabetical order', async () => {
    const path = put('order', 'train/zebra/b.png', 'train/zebra/a.PNG', 'train/ant/z.png', 'train/Bee/1.png');
    const data = await open(path);
    expect(data.classes).toEqual(['Bee', 'ant', 'zebra']);
    expect([0, 1, 2, 3].map((i) => [data.describe(i), data.label(i)])).toEqual([
      [join(path, 'train/Bee/1.png'), 0],
      [join(path, 'train/ant/z.png'), 1],
      [join(path, 'train/zebra/a.PNG'), 2],
      [join(path, 'train/zebra/b.png'), 2],
    ]);
  });

  it('decodes an image when it is asked for', async () => {
    const { height, width, channels, pixels } = await (await open(put('decode', 'cat/1.png'))).image(0);
    expect([height, width, channels]).toEqual([2, 3, 3]);
    expect([...pixels.subarray(0, 3)]).toEqual([255, 0, 0]);
  });

  it('gives grey images where one channel is asked for', async () => {
    const data = await open(put('grey', 'cat/1.png'), 'train', 1);
    expect([...(await data.image(0)).pixels]).toEqual(Array(6).fill(76));
    expect(data.statistics.mean).toHaveLength(1);
  });

  it('takes class folders without a split as training set', async () => {
    expect((await open(put('flat', 'a/1.png', 'b/1.png', 'b/2.png'))).size).toBe(3);
  });

  it('takes a class named train for a class where it holds images itself', async () => {
    expect((await open(put('vehicles', 'bus/1.png', 'train/1.png'))).classes).toEqual(['bus', 'train']);
  });

  it('finds test images under test or val', async () => {
    expect((await open(put('with-test', 'train/a/1.png', 'test/a/1.png', 'test/a/2.png'), 'test')).size).toBe(2);
    expect((await open(put('with-val', 'train/a/1.png', 'val/a/1.png'), 'test')).size).toBe(1);
  });

  it('never hands out training images as test images', async () => {
    await expect(open(put('train-only', 'train/a/1.png'), 'test')).rejects.toThrow(/has 'train' but no 'test' or 'val' folder/);
    await expect(open(put('flat-only', 'a/1.png'), 'test')).rejects.toThrow(/has no folder 'test' or 'val'/);
    await expect(open(put('test-only', 'test/a/1.png'), 'train')).rejects.toThrow(/has 'test' but no 'train' folder/);
  });

  it('takes class folders without a split as test images where they were named as such', async () => {
    const alone = (path: string): ReturnType<typeof openDataset> => openDataset({ dataset: 'imagefolder', path, split: 'test', channels: 3, testAlone: true });
    expect((await alone(put('alone', 'a/1.png', 'b/1.png'))).classes).toEqual(['a', 'b']);
    expect((await alone(put('alone-val', 'train/a/1.png', 'val/a/1.png', 'val/a/2.png'))).size).toBe(2);
    await expect(alone(put('alone-train', 'train/a/1.png'))).rejects.toThrow(/has 'train' but no 'test' or 'val' folder/);
  });

  it('looks into deeper folders, past hidden files and files that are no images', async () => {
    const path = put('deep', 'a/2019/x/1.png', 'a/0.png', 'a/.hidden.png', 'a/notes.txt', '.git/objects/1.png');
    const data = await open(path);
    expect(data.classes).toEqual(['a']);
    expect([0, 1].map((i) => data.describe(i))).toEqual([join(path, 'a/0.png'), join(path, 'a/2019/x/1.png')]);
    expect(data.size).toBe(2);
  });

  it('follows links to class folders', async () => {
    put('store', 'cats/1.png');
    mkdirSync(join(root, 'linked'));
    symlinkSync(join(root, 'store/cats'), join(root, 'linked/cats'));
    expect((await open(join(root, 'linked'))).describe(0)).toBe(join(root, 'linked/cats/1.png'));
  });

  it('is refused where a link leads back to a folder that it lies in', async () => {
    const path = put('circle', 'a/1.png', 'a/deep/2.png');
    symlinkSync(join(path, 'a'), join(path, 'a/deep/again'));
    await expect(open(path)).rejects.toThrow(/a.deep.again: leads back to '.*circle.a', which it lies in\n.*Remove this link/);
  });

  it('lists one folder by two ways where no circle is', async () => {
    const path = put('twice', 'a/1.png', 'a/deep/2.png');
    symlinkSync(join(path, 'a/deep'), join(path, 'a/same'));
    expect((await open(path)).size).toBe(3);
  });

  it('passes over a link that leads nowhere unless it has the name of an image', async () => {
    const path = put('dangling', 'a/1.png');
    symlinkSync(join(path, 'gone'), join(path, 'a/folder'));
    symlinkSync(join(path, 'gone.png'), join(path, 'a/2.png'));
    const data = await open(path);
    expect(data.size).toBe(2);
    await expect(data.image(1)).rejects.toThrow(/a.2\.png: cannot be read: .*\n.*file is there/);
    await expect(data.fingerprint(1)).rejects.toThrow(/a.2\.png: cannot be read: .*\n.*Mend the file/);
  });

  it('passes over pipes, which would be waited for, whatever they are called', async () => {
    const path = put('pipe', 'a/1.png');
    execFileSync('mkfifo', [join(path, 'a/2.png')]);
    expect((await open(path)).size).toBe(1);
  });

  it('reads folders and files of any script', async () => {
    const data = await open(put('scripts', 'Bären/größe ü.png', '猫/一 二.png', "l'été #1/%20.png"));
    expect(data.classes).toEqual(['Bären', "l'été #1", '猫']);
    for (const index of [0, 1, 2]) expect((await data.image(index)).width).toBe(3);
  });

  it('names a file that stands in place of the folder', async () => {
    writeFile(join(root, 'file.zip'), 'PK');
    await expect(open(join(root, 'file.zip'))).rejects.toThrow(/file\.zip: cannot be listed: ENOTDIR.*\n.*data\.path/);
  });

  it('names a folder that does not exist', async () => {
    await expect(open(join(root, 'nowhere'))).rejects.toThrow(/nowhere: no such folder\n.*data\.path/);
  });

  it('names a class without images', async () => {
    const path = put('hole', 'a/1.png', 'b/readme.txt');
    await expect(open(path)).rejects.toThrow(`${join(path, 'b')}: holds no image`);
  });

  it('is refused when it holds no class folders', async () => {
    await expect(open(put('loose', '1.png'))).rejects.toThrow(/holds no class folders\n.*CLASS\/name\.jpg/);
  });

  it('names the file when it cannot be decoded', async () => {
    const path = join(root, 'damaged');
    writeFile(join(path, 'a/1.jpg'), 'this is no picture');
    const data = await open(path);
    const error: unknown = await data.image(0).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).message).toMatch(/a\/1\.jpg: cannot be decoded: .*unsupported image format\n.*Replace the file/);
  });
});
