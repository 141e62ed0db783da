import type { TokenPlan } from '@mimlab/core';
import sharp from 'sharp';
import type { TopLevelSpec } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import { picturesFigure, type PictureColumn } from './picture-rows.js';

/** 2 x 2 patches, the upper right one visible. */
const plan: TokenPlan = { grid: { rows: 2, columns: 2 }, visible: Int32Array.of(1), retained: Int32Array.of(0, 2, 3), thrown: new Int32Array(0) };
const grey = (...pixels: number[]) => ({ height: 2, width: 2, channels: 1, pixels: Uint8Array.from(pixels) });
const column = (name: string, ...rows: PictureColumn['rows']): PictureColumn => ({ name, rows });
const ROW = { original: grey(1, 2, 3, 4), reconstruction: grey(5, 6, 7, 8), plan };

interface Drawn {
  readonly title: { readonly subtitle: readonly string[] };
  readonly width: { readonly step: number };
  readonly mark: { readonly width: number; readonly height: number };
  readonly data: { readonly values: readonly { readonly column: string; readonly row: number; readonly url: string }[] };
  readonly encoding: { readonly x: { readonly sort: readonly string[] } };
}
const drawn = (spec: TopLevelSpec): Drawn => spec as unknown as Drawn;

/** Values at the corners of a picture, as it is enlarged. */
async function corners(url: string | undefined): Promise<number[][]> {
  const { data, info } = await sharp(Buffer.from((url as string).split(',')[1] as string, 'base64')).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const pixel = (x: number, y: number): number[] => [...data.subarray((y * info.width + x) * info.channels, (y * info.width + x + 1) * info.channels)];
  return [pixel(0, 0), pixel(info.width - 1, 0), pixel(0, info.height - 1), pixel(info.width - 1, info.height - 1)];
}

describe('reconstructions beside each other', () => {
  it('stand in the order of the runs, behind the original and its visible patches', async () => {
    const spec = drawn(await picturesFigure([column('z', ROW), column('a', ROW)], []));
    expect(spec.encoding.x.sort).toEqual(['original', 'visible', 'z', 'a']);
  });

  it('have one row an image', async () => {
    const { values } = drawn(await picturesFigure([column('a', ROW, ROW, ROW)], [])).data;
    expect(values.map((value) => `${value.column} ${value.row}`)).toEqual(['original', 'visible', 'a'].flatMap((name) => [0, 1, 2].map((row) => `${name} ${row}`)));
  });

  it('say below the title how they were made', async () => {
    expect(drawn(await picturesFigure([column('a', ROW)], ['one', 'two'])).title.subtitle).toEqual(['one', 'two']);
  });

  it('show each pixel as it is, enlarged to a size that can be seen', async () => {
    const spec = drawn(await picturesFigure([column('a', ROW)], []));
    expect(spec.mark).toMatchObject({ width: 112, height: 112 });
    const grown = await corners(spec.data.values.find((value) => value.column === 'a')?.url);
    expect(grown.map(([value]) => value)).toEqual([5, 6, 7, 8]);
  });

  it('are not enlarged where they are large already', async () => {
    const wide = { height: 2, width: 200, channels: 1, pixels: new Uint8Array(400) };
    const spec = drawn(await picturesFigure([column('a', { original: wide, reconstruction: wide, plan })], []));
    expect([spec.mark.width, spec.mark.height, spec.width.step]).toEqual([200, 2, 208]);
  });

  it('hide all but the visible patches in the second column', async () => {
    const { values } = drawn(await picturesFigure([column('a', ROW)], [])).data;
    const seen = await corners(values.find((value) => value.column === 'visible')?.url);
    expect(seen.map(([value]) => value)).toEqual([214, 2, 214, 214]);
  });

  it('keep colours', async () => {
    const colour = { height: 2, width: 2, channels: 3, pixels: Uint8Array.from({ length: 12 }, (_, at) => 10 * at) };
    const { values } = drawn(await picturesFigure([column('a', { original: colour, reconstruction: colour, plan })], [])).data;
    expect(await corners(values.find((value) => value.column === 'a')?.url)).toEqual([[0, 10, 20], [30, 40, 50], [60, 70, 80], [90, 100, 110]]);
    expect((await corners(values.find((value) => value.column === 'visible')?.url)).slice(0, 2)).toEqual([[214, 214, 214], [30, 40, 50]]);
  });

  it.each([[['run', 'run'], 'run'], [['original'], 'original'], [['a', 'visible'], 'visible']])('are refused under the names %j, which would lie over each other', async (names, repeated) => {
    await expect(picturesFigure(names.map((name) => column(name, ROW)), [])).rejects.toThrow(`--names: two columns of the figure are called '${repeated}'`);
  });
});
