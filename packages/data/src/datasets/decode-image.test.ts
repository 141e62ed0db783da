import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { DataError } from '@mimlab/core';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { plainPng, png, temporaryFolder, writeFile } from '../testing/tiny-data.js';
import { decodeImage } from './decode-image.js';

const folder = temporaryFolder();
let files = 0;
function put(content: Uint8Array, ending = 'png'): string {
  const path = join(folder, `${String(files++)}.${ending}`);
  writeFile(path, content);
  return path;
}

describe('decodeImage', () => {
  it('reads colours as they are stored', async () => {
    const path = put(await png(1, 2, 3, [1, 2, 3, 250, 251, 252]));
    expect(await decodeImage(path, 3)).toMatchObject({ height: 1, width: 2, channels: 3 });
    expect([...(await decodeImage(path, 3)).pixels]).toEqual([1, 2, 3, 250, 251, 252]);
  });

  it('repeats grey images over three channels', async () => {
    expect([...(await decodeImage(put(await png(1, 2, 1, [5, 200])), 3)).pixels]).toEqual([5, 5, 5, 200, 200, 200]);
  });

  it('reads grey images exactly', async () => {
    const grey = await sharp(Buffer.from([5, 100, 200]), { raw: { height: 1, width: 3, channels: 1 } }).toColourspace('b-w').png().toBuffer();
    expect([...(await decodeImage(put(grey), 1)).pixels]).toEqual([5, 100, 200]);
  });

  it('drops transparency without mixing in a background', async () => {
    expect([...(await decodeImage(put(await png(1, 1, 4, [10, 20, 30, 0])), 3)).pixels]).toEqual([10, 20, 30]);
  });

  it('cuts 16 bits to 8', async () => {
    const deep = await sharp({ create: { width: 1, height: 1, channels: 3, background: { r: 255, g: 0, b: 0 } } }).toColourspace('rgb16').png().toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe('ushort');
    expect([...(await decodeImage(put(deep), 3)).pixels]).toEqual([255, 0, 0]);
  });

  it('converts CMYK', async () => {
    const cmyk = await sharp(await plainPng(8, 8, [255, 255, 255])).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
    const { channels, pixels } = await decodeImage(put(cmyk, 'jpg'), 3);
    expect(channels).toBe(3);
    expect(Math.min(...pixels)).toBeGreaterThan(240);
  });

  it('turns the image upright', async () => {
    // Orientation 6: stored rows run down the right side, so a tall picture is stored wide.
    const turned = await sharp(Buffer.from([10, 200]), { raw: { height: 1, width: 2, channels: 1 } }).withMetadata({ orientation: 6 }).png().toBuffer();
    const image = await decodeImage(put(turned), 1);
    expect([image.height, image.width]).toEqual([2, 1]);
    expect([...image.pixels]).toEqual([10, 200]);
  });

  it.each(['jpeg', 'webp', 'tiff', 'gif'] as const)('reads %s', async (format) => {
    const bytes = await sharp(await plainPng(4, 5, [200, 200, 200])).toFormat(format).toBuffer();
    const { height, width, pixels } = await decodeImage(put(bytes, format), 3);
    expect([height, width]).toEqual([4, 5]);
    expect(Math.abs((pixels[0] as number) - 200)).toBeLessThan(4);
  });

  it.each(['jpeg', 'png', 'webp'] as const)('refuses a truncated %s and names it', async (format) => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 256);
    const bytes = await sharp(noise, { raw: { height: 64, width: 64, channels: 3 } }).toFormat(format).toBuffer();
    const path = put(bytes.subarray(0, Math.floor(bytes.length / 2)), format);
    await expect(decodeImage(path, 3)).rejects.toThrow(`${path}: cannot be decoded`);
  });

  it('names a file that is gone', async () => {
    const path = join(folder, 'gone.png');
    await expect(decodeImage(path, 3)).rejects.toThrow(`${path}: cannot be read: ENOENT`);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('<html>not found</html>')],
    ['zeros', Buffer.alloc(5000)],
    ['a header alone', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])],
  ])('refuses %s and says what to do', async (_, bytes) => {
    const error: unknown = await decodeImage(put(bytes), 3).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).message).toMatch(/\.png: cannot be decoded: .+\n {2}Replace the file, or remove it from the data set\.$/);
  });

  it('refuses an image that claims more pixels than memory holds, before it takes any', async () => {
    // The header of a small PNG, changed to 60000 x 60000 pixels; its checksum is made anew.
    const bytes = Buffer.from(await png(1, 1, 3, [1, 2, 3]));
    bytes.writeUInt32BE(60_000, 16);
    bytes.writeUInt32BE(60_000, 20);
    bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
    await expect(decodeImage(put(bytes), 3)).rejects.toThrow(/cannot be decoded: .*pixel limit/);
  });

  it('takes the first picture of a moving one', async () => {
    const frames = Uint8Array.from({ length: 2 * 4 * 4 * 3 }, (_, i) => (i < 4 * 4 * 3 ? 250 : 5));
    const bytes = await sharp(frames, { raw: { height: 8, width: 4, channels: 3, pageHeight: 4 } }).gif().toBuffer();
    const { height, pixels } = await decodeImage(put(bytes, 'gif'), 3);
    expect(height).toBe(4);
    expect(pixels[0]).toBeGreaterThan(240);
  });

  it('tells the time that reading took', async () => {
    const { readSeconds } = await decodeImage(put(await png(1, 1, 1, [5])), 1);
    expect(readSeconds).toBeGreaterThan(0);
    expect(readSeconds).toBeLessThan(10);
  });
});
