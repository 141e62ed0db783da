import sharp from 'sharp';
import { expect, it } from 'vitest';
import { heatColour, heatUri, imageUri } from './tiles.js';

const pixelsOf = async (uri: string): Promise<number[]> => [...(await sharp(Buffer.from(uri.slice(uri.indexOf(',') + 1), 'base64')).removeAlpha().toColourspace('srgb').raw().toBuffer())];

it('a small picture keeps every pixel', async () => {
  const uri = await imageUri(Uint8Array.of(0, 90, 200, 255), { height: 2, width: 2, channels: 1 });
  expect(uri).toMatch(/^data:image\/png;base64,/);
  expect((await pixelsOf(uri)).filter((_, at) => at % 3 === 0)).toEqual([0, 90, 200, 255]);
});

it('a large one is stored smaller than its pixels', async () => {
  const pixels = Uint8Array.from({ length: 128 * 128 * 3 }, (_, at) => (at * 7 + (at >> 7)) % 251);
  const uri = await imageUri(pixels, { height: 128, width: 128, channels: 3 });
  expect(uri).toMatch(/^data:image\/webp;base64,/);
  expect(uri.length).toBeLessThan(pixels.length);
});

it('a heat map goes from dark at 0 to light at the largest value', async () => {
  expect(await pixelsOf(await heatUri(Float32Array.of(0, 0.2), 2))).toEqual([...heatColour(0), ...heatColour(1)]);
});

it('a heat map of nothing but zeros is dark', async () => {
  expect(await pixelsOf(await heatUri(new Float32Array(2), 1))).toEqual([...heatColour(0), ...heatColour(0)]);
});

it('colours of shares beyond 0 to 1 are those of the ends', () => {
  expect([heatColour(-1), heatColour(2)]).toEqual([heatColour(0), heatColour(1)]);
});

it('a picture of colours keeps them', async () => {
  const pixels = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9);
  expect(await pixelsOf(await imageUri(pixels, { height: 1, width: 4, channels: 3 }))).toEqual([...pixels]);
});

it('a picture as wide as it may be is kept exactly, a wider one is not', async () => {
  const uri = (width: number): Promise<string> => imageUri(new Uint8Array(width), { height: 1, width, channels: 1 });
  expect([(await uri(96)).slice(0, 14), (await uri(97)).slice(0, 15)]).toEqual(['data:image/png', 'data:image/webp']);
});

it('a heat map has as many rows as its values make', async () => {
  const uri = await heatUri(new Float32Array(6), 3);
  const { width, height } = await sharp(Buffer.from(uri.slice(uri.indexOf(',') + 1), 'base64')).metadata();
  expect([width, height]).toEqual([3, 2]);
});

it('colours grow brighter with the share, so that grey prints tell them apart', () => {
  const brightness = Array.from({ length: 21 }, (_, at) => {
    const [red, green, blue] = heatColour(at / 20);
    return 0.299 * red + 0.587 * green + 0.114 * blue;
  });
  expect(brightness).toEqual([...brightness].sort((a, b) => a - b));
});
