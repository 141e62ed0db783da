import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cifarRecord, temporaryFolder, writeFile } from '../testing/tiny-data.js';
import { openDataset } from './open-dataset.js';

const root = temporaryFolder();

/** Five batches; batch b holds `b` records, each of class b and colour (10 b, i, 3). */
function writeCifar(folder: string): void {
  for (let b = 1; b <= 5; b++) {
    writeFile(join(folder, `data_batch_${b}.bin`), Buffer.concat(Array.from({ length: b }, (_, i) => cifarRecord(b, [10 * b, i, 3]))));
  }
  writeFile(join(folder, 'test_batch.bin'), cifarRecord(9, [1, 2, 3]));
}

const open = (folder: string, split: 'train' | 'test' = 'train'): ReturnType<typeof openDataset> => openDataset({ dataset: 'cifar10', path: folder, split });

describe('CIFAR-10', () => {
  it('joins the five training batches in order', async () => {
    const folder = join(root, 'whole');
    writeCifar(folder);
    const data = await open(folder);
    expect(data.size).toBe(15);
    expect(Array.from({ length: 15 }, (_, i) => data.label(i))).toEqual([1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5]);
    expect(data.classes[9]).toBe('truck');
  });

  it('turns planes into pixels', async () => {
    const folder = join(root, 'planes');
    writeCifar(folder);
    const record = cifarRecord(0, [0, 0, 0]);
    for (let p = 0; p < 3072; p++) record[1 + p] = p % 251;
    writeFile(join(folder, 'test_batch.bin'), record);
    const { pixels, height, width, channels } = await (await open(folder, 'test')).image(0);
    expect([height, width, channels]).toEqual([32, 32, 3]);
    expect([...pixels.subarray(0, 6)]).toEqual([0, 1024 % 251, 2048 % 251, 1, 1025 % 251, 2049 % 251]);
    expect(pixels[3071]).toBe(3071 % 251);
  });

  it('is found in the folder its archive unpacks to', async () => {
    const folder = join(root, 'archive');
    writeCifar(join(folder, 'cifar-10-batches-bin'));
    expect((await open(folder, 'test')).label(0)).toBe(9);
  });

  it('is refused when a batch is missing', async () => {
    const folder = join(root, 'missing');
    writeCifar(folder);
    rmSync(join(folder, 'data_batch_4.bin'));
    await expect(open(folder)).rejects.toThrow(/missing: 'data_batch_4.bin' is missing or cannot be read\n.*binary version/);
  });

  it('is refused when a file is cut short', async () => {
    const folder = join(root, 'short');
    writeCifar(folder);
    writeFile(join(folder, 'data_batch_2.bin'), cifarRecord(1, [1, 2, 3]).subarray(0, 3000));
    await expect(open(folder)).rejects.toThrow(/data_batch_2.bin: has 3000 bytes, no whole number of records of 3073 bytes/);
  });

  it('is refused when a label is no class', async () => {
    const folder = join(root, 'label');
    writeCifar(folder);
    writeFile(join(folder, 'test_batch.bin'), Buffer.concat([cifarRecord(3, [1, 2, 3]), cifarRecord(11, [1, 2, 3])]));
    await expect(open(folder, 'test')).rejects.toThrow(/test_batch.bin: record 1 has label 11, expected 0 .. 9/);
  });
});

describe('CIFAR-100', () => {
  const record = (coarse: number, fine: number): Buffer => Buffer.concat([Buffer.from([coarse]), cifarRecord(fine, [4, 5, 6])]);
  const open100 = (folder: string): ReturnType<typeof openDataset> => openDataset({ dataset: 'cifar100', path: folder, split: 'test' });

  it('has the fine labels and their names', async () => {
    const folder = join(root, 'hundred');
    writeFile(join(folder, 'cifar-100-binary', 'test.bin'), Buffer.concat([record(3, 0), record(1, 99)]));
    const data = await open100(folder);
    expect([data.name, data.size, data.classes.length]).toEqual(['cifar100', 2, 100]);
    expect([0, 1].map((i) => data.classes[data.label(i)])).toEqual(['apple', 'worm']);
    expect([...(await data.image(1)).pixels.subarray(0, 4)]).toEqual([4, 5, 6, 4]);
  });

  it('lists every class once, in alphabetical order', async () => {
    const folder = join(root, 'names');
    writeFile(join(folder, 'test.bin'), record(0, 0));
    const { classes } = await open100(folder);
    expect(classes).toEqual([...new Set(classes)].sort());
  });

  it('is refused where a file has the records of CIFAR-10', async () => {
    const folder = join(root, 'ten');
    writeFile(join(folder, 'test.bin'), cifarRecord(1, [1, 2, 3]));
    await expect(open100(folder)).rejects.toThrow(/test.bin: has 3073 bytes, no whole number of records of 3074 bytes/);
  });

  it('is refused where a label is no class', async () => {
    const folder = join(root, 'label100');
    writeFile(join(folder, 'test.bin'), record(0, 100));
    await expect(open100(folder)).rejects.toThrow(/test.bin: record 0 has label 100, expected 0 .. 99/);
  });

  it('is refused where its file is missing', async () => {
    await expect(open100(join(root, 'nowhere'))).rejects.toThrow(/nowhere: 'test.bin' is missing or cannot be read\n.*CIFAR-100/);
  });
});
