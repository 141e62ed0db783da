import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MimlabError } from '@mimlab/core';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { createCanvas, drawImage, drawText, fillRect, lineHeight, writePng } from './canvas.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-canvas-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const inked = (canvas: { readonly width: number; readonly pixels: Uint8Array }): string[] =>
  [...canvas.pixels.keys()].filter((at) => at % 3 === 0 && canvas.pixels[at] === 0).map((at) => `${(at / 3) % canvas.width},${Math.floor(at / 3 / canvas.width)}`);

describe('a canvas', () => {
  it('begins in one colour', () => {
    expect([...createCanvas(2, 1, [1, 2, 3]).pixels]).toEqual([1, 2, 3, 1, 2, 3]);
  });

  it('draws images of three channels in their colours', () => {
    const canvas = createCanvas(2, 1, [0, 0, 0]);
    drawImage(canvas, { height: 1, width: 2, channels: 3, pixels: Uint8Array.of(1, 2, 3, 4, 5, 6) }, 0, 0, 1);
    expect([...canvas.pixels]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('clips what begins to the left and above', () => {
    const canvas = createCanvas(2, 2, [255, 255, 255]);
    fillRect(canvas, -3, -3, 4, 4, [0, 0, 0]);
    expect(inked(canvas)).toEqual(['0,0']);
  });

  it('writes text from the left, every dot as large as asked for', () => {
    const [small, large] = [createCanvas(5, 7, [255, 255, 255]), createCanvas(10, 14, [255, 255, 255])];
    drawText(small, '-', 0, 0, [0, 0, 0]);
    drawText(large, '-', 0, 0, [0, 0, 0], 2);
    expect(inked(small).length).toBeGreaterThan(0);
    expect(inked(large)).toHaveLength(4 * inked(small).length);
    expect(lineHeight(2)).toBe(14);
  });
});

describe('a PNG file', () => {
  it('holds the pixels of the canvas', async () => {
    const path = join(folder, 'Bild ü.png');
    const canvas = createCanvas(3, 2, [10, 20, 30]);
    fillRect(canvas, 1, 1, 1, 1, [200, 100, 0]);
    await writePng(canvas, path);
    const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([3, 2, 3]);
    expect(new Uint8Array(data)).toEqual(canvas.pixels);
  });

  it('that cannot be written is named, and leaves nothing behind', async () => {
    const taken = join(folder, 'taken');
    mkdirSync(join(taken, 'inside'), { recursive: true });
    for (const path of [taken, join(folder, 'none', 'a.png')]) {
      const error: unknown = await writePng(createCanvas(1, 1, [0, 0, 0]), path).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(MimlabError);
      expect((error as Error).message).toContain(path);
    }
    expect(readdirSync(folder).filter((name) => name.includes('tmp'))).toEqual([]);
    expect(existsSync(join(taken, 'inside'))).toBe(true);
  });
});
