import { ConfigError } from '@mimlab/core';
import type { TopLevelSpec } from 'vega-lite';
import sharp from 'sharp';
import type { PicturePixels, ReconstructionRow } from '../pictures/reconstruction-grid.js';
import { FIGURE_CONFIG, SCHEMA } from './style.js';

/** Reconstructions of the same images by one model. */
export interface PictureColumn {
  readonly name: string;
  readonly rows: readonly ReconstructionRow[];
}

/** Side of a picture at least, and the gap between two. */
const SIDE = 112;
const GAP = 8;
const HIDDEN = 214;

/**
 * Figure 7: what models reconstruct of the same masked images. One row an image: original, visible patches, then the
 * reconstruction of each model.
 * @param caption how the reconstructions were made, under the title
 * @throws ConfigError if two columns have one name, since they would lie over each other
 */
export async function picturesFigure(columns: readonly PictureColumn[], caption: readonly string[]): Promise<TopLevelSpec> {
  const [first] = columns as [PictureColumn];
  const { width, height } = (first.rows[0] as ReconstructionRow).original;
  const scale = Math.max(1, Math.ceil(SIDE / width));
  const shown: [string, PicturePixels[]][] = [
    ['original', first.rows.map(({ original }) => original)],
    ['visible', first.rows.map(visiblePatches)],
    ...columns.map(({ name, rows }): [string, PicturePixels[]] => [name, rows.map(({ reconstruction }) => reconstruction)]),
  ];
  const names = shown.map(([name]) => name);
  const repeated = names.find((name, at) => names.indexOf(name) < at);
  if (repeated !== undefined) throw new ConfigError(`two columns of the figure are called '${repeated}'`, { place: '--names', remedy: 'Give each run a name of its own, with commas between.' });
  const values = await Promise.all(
    shown.flatMap(([column, pictures]) => pictures.map(async (picture, row) => ({ column, row, url: await dataUrl(picture, scale) }))),
  );
  const [stepX, stepY] = [width * scale + GAP, height * scale + GAP];
  const spec = {
    $schema: SCHEMA,
    config: FIGURE_CONFIG,
    title: { text: 'Reconstructions of the same masks', subtitle: caption },
    width: { step: stepX },
    height: { step: stepY },
    data: { values },
    // Its description would repeat every picture.
    mark: { type: 'image', width: width * scale, height: height * scale, aria: false },
    encoding: {
      x: { field: 'column', type: 'ordinal', sort: names, title: null, scale: { paddingInner: 0, paddingOuter: 0 }, axis: { orient: 'top', labelAngle: 0, domain: false, ticks: false, labelLimit: stepX, labelOverlap: false } },
      y: { field: 'row', type: 'ordinal', axis: null, scale: { paddingInner: 0, paddingOuter: 0 } },
      url: { field: 'url', type: 'nominal' },
    },
  };
  return spec as unknown as TopLevelSpec;
}

/** The image with its hidden patches in light grey. */
function visiblePatches({ original, plan }: ReconstructionRow): PicturePixels {
  const { height, width, channels } = original;
  const { rows, columns } = plan.grid;
  const shown = new Set(plan.visible);
  const pixels = Uint8Array.from(original.pixels, (value, at) => {
    const place = Math.floor(at / channels);
    const row = Math.floor((Math.floor(place / width) * rows) / height);
    const column = Math.floor(((place % width) * columns) / width);
    return shown.has(row * columns + column) ? value : HIDDEN;
  });
  return { height, width, channels, pixels };
}

/** A picture as a PNG inside an address, every pixel enlarged without smoothing. */
async function dataUrl({ height, width, channels, pixels }: PicturePixels, scale: number): Promise<string> {
  const png = await sharp(pixels, { raw: { width, height, channels: channels === 1 ? 1 : 3 } })
    .resize(width * scale, height * scale, { kernel: 'nearest' })
    .png({ compressionLevel: 9 })
    .toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}
