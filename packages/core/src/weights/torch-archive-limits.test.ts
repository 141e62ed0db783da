import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors.js';
import { pickle, Raw, tensor } from './pickle-writer.test-support.js';
import { readTorchCheckpoint } from './torch-archive.js';
import { readWeightFile } from './weight-file.js';
import { zip, type ZipOptions } from './zip-writer.test-support.js';

/** Files that would cost a small machine its time or its memory. */
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-limits-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
function file(bytes: Uint8Array): string {
  const path = join(folder, `${files++}.pth`);
  writeFileSync(path, bytes);
  return path;
}
const archive = (value: unknown, storages: Record<string, Uint8Array> = {}, options: ZipOptions = {}): Buffer =>
  zip({ 'a/data.pkl': pickle(value), ...Object.fromEntries(Object.entries(storages).map(([key, bytes]) => [`a/data/${key}`, bytes])) }, options);
const read = (value: unknown, storages: Record<string, Uint8Array> = {}): Promise<unknown> => readTorchCheckpoint(file(archive(value, storages)));
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const dict = (entries: Record<string, unknown>): Map<string, unknown> => new Map(Object.entries(entries));

/** The sizes that the directory of an archive gives for its last entry, replaced. */
function withSizes(bytes: Buffer, packed: number, unpacked: number): Buffer {
  const at = bytes.lastIndexOf('PK\x01\x02', undefined, 'latin1');
  bytes.writeUInt32LE(packed, at + 20);
  bytes.writeUInt32LE(unpacked, at + 24);
  return bytes;
}

describe('a pickle that unfolds', () => {
  // EMPTY_LIST BINPUT 0, then per level: MARK, the last list twice, TUPLE, BINPUT of the next.
  const doubling = (levels: number): Raw => new Raw([0x5d, 0x71, 0, ...Array.from({ length: levels }, (_, i) => [0x28, 0x68, i, 0x68, i, 0x74, 0x71, i + 1]).flat()]);

  it('to 2 ^ 60 lists by references to references is read as the sixty that it holds', async () => {
    let value: unknown = await read(doubling(60));
    let depth = 0;
    for (; Array.isArray(value) && value.length === 2; depth++) {
      expect(value[0]).toBe(value[1]);
      value = value[0];
    }
    expect([depth, value]).toEqual([60, []]);
  });

  it('is refused where it is nested thousands of levels deep', async () => {
    await expect(read(new Raw([...Array<number>(5000).fill(0x5d), ...Array<number>(4999).fill(0x61)]))).rejects.toThrow(/nested deeper than 500 levels/);
  });

  it('is not refused where many lists lie side by side', async () => {
    expect(await read(Array.from({ length: 600 }, () => []))).toHaveLength(600);
  });
});

describe('whole numbers of any length', () => {
  const number = (...bytes: number[]): Promise<unknown> => read(new Raw([0x8a, bytes.length, ...bytes]));
  it('are read with their sign', async () => {
    expect(await number()).toBe(0);
    expect(await number(0xff)).toBe(-1);
    expect(await number(0xff, 0)).toBe(255);
    expect(await number(0, 0, 0, 0, 0, 0, 0, 0x80)).toBe(-(2n ** 63n));
  });
  it('are read in a time that does not grow as their square', async () => {
    const bytes = 2_000_000;
    const path = file(zip({ 'a/data.pkl': Buffer.concat([Buffer.from([0x80, 2, 0x8b, bytes & 255, (bytes >> 8) & 255, (bytes >> 16) & 255, 0]), Buffer.alloc(bytes, 1), Buffer.from([0x2e])]) }));
    const start = performance.now();
    expect(typeof (await readTorchCheckpoint(path))).toBe('bigint');
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('a tensor', () => {
  it('that repeats one value more often than its file could hold is refused', async () => {
    await expect(read(dict({ x: tensor('0', [70_000_000], { strides: [0], length: 1 }) }), { 0: floats(1) })).rejects.toThrow(/claims the shape \[70000000\]: more values than a file of \d+ bytes can hold/);
  });

  it('counts together with those read before it', async () => {
    // Either alone is within the 2 ^ 26 values that any file may give.
    const repeated = (count: number): unknown => tensor('0', [count], { strides: [0], length: 1 });
    const path = file(archive(dict({ x: repeated(10_000), y: repeated(2 ** 26 - 5_000) }), { 0: floats(1) }));
    expect((await readWeightFile(path, (name) => name === 'x')).tensors['x']?.data).toHaveLength(10_000);
    await expect(readWeightFile(path, () => true)).rejects.toThrow(/claims the shape \[67103864\]/);
  });

  it('whose size is no number that can be counted is refused', async () => {
    await expect(read(dict({ x: tensor('0', Array<number>(40).fill(2 ** 30), { strides: Array<number>(40).fill(0), length: 1 }) }), { 0: floats(1) })).rejects.toThrow(/claims the shape/);
  });
});

describe('an archive whose directory is wrong', () => {
  it('is refused where an entry would end behind the file, before memory is taken for it', async () => {
    const bytes = withSizes(archive(dict({ x: tensor('0', [1]) }), { 0: floats(1) }), 4_000_000_000, 4_000_000_000);
    await expect(readTorchCheckpoint(file(bytes))).rejects.toThrow(/overflows file bounds: \d+ \+ 4000000000 > \d+/);
  });

  it('is refused where an entry promises to unpack to more than a file of its size holds', async () => {
    const bytes = archive(dict({ x: tensor('0', [1]) }), { 0: floats(1) }, { deflate: true });
    const at = bytes.lastIndexOf('PK\x01\x02', undefined, 'latin1');
    const path = file(withSizes(bytes, bytes.readUInt32LE(at + 20), 4_000_000_000));
    await expect(readTorchCheckpoint(path)).rejects.toThrow(/entry 'a\/data\/0' would unpack to 4000000000 bytes/);
  });

  it('is refused where an entry unpacks to more than it promises', async () => {
    const bytes = archive(dict({ x: tensor('0', [100], { length: 100 }) }), { 0: new Uint8Array(400) }, { deflate: true });
    const at = bytes.lastIndexOf('PK\x01\x02', undefined, 'latin1');
    await expect(readTorchCheckpoint(file(withSizes(bytes, bytes.readUInt32LE(at + 20), 40)))).rejects.toThrow(CheckpointError);
  });

  it('gives its value or one typed error, whichever byte is damaged', async () => {
    const whole = archive(dict({ x: tensor('0', [2]) }), { 0: floats(1, 2) });
    const outcomes = await Promise.all(
      Array.from({ length: whole.length }, async (_, at) => {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] as number) ^ 0xff;
        return readTorchCheckpoint(file(damaged)).then(
          () => 'read',
          (error: unknown) => (error instanceof CheckpointError ? 'refused' : error),
        );
      }),
    );
    expect(new Set(outcomes)).toEqual(new Set(['read', 'refused']));
  });
});
