import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll } from 'vitest';

/** A folder of its own for one test file, removed afterwards. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mimlab-data-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An IDX file of unsigned bytes. */
export function idxBytes(shape: readonly number[], values: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(0x0800 | shape.length);
  shape.forEach((side, i) => header.writeUInt32BE(side, 4 + 4 * i));
  return Buffer.concat([header, Buffer.from(values)]);
}

/** Training files of MNIST's form: `count` images of `side` x `side`; pixel p of image i is (7 i + p) mod 256, its label i mod 10. */
export function writeMnist(folder: string, count: number, side = 4): void {
  const pixels = Array.from({ length: count * side * side }, (_, p) => (7 * Math.floor(p / (side * side)) + (p % (side * side))) % 256);
  writeFile(join(folder, 'train-images-idx3-ubyte'), idxBytes([count, side, side], pixels));
  writeFile(join(folder, 'train-labels-idx1-ubyte'), idxBytes([count], Array.from({ length: count }, (_, i) => i % 10)));
}

/** One record of CIFAR-10: a red, a green and a blue plane, each of one value. */
export const cifarRecord = (label: number, [red, green, blue]: readonly [number, number, number]): Buffer =>
  Buffer.concat([Buffer.from([label]), Buffer.alloc(1024, red), Buffer.alloc(1024, green), Buffer.alloc(1024, blue)]);

export function writeFile(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** A PNG of the given pixels. */
export const png = (height: number, width: number, channels: 1 | 2 | 3 | 4, pixels: readonly number[]): Promise<Buffer> =>
  sharp(Buffer.from(pixels), { raw: { height, width, channels } }).png().toBuffer();

/** A PNG of one colour. */
export const plainPng = (height: number, width: number, colour: readonly [number, number, number]): Promise<Buffer> =>
  png(height, width, 3, Array.from({ length: height * width }, () => colour).flat());
