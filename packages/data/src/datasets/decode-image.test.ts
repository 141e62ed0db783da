import { join } from 'node:path';
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
});
