import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ensureFolder, writeFileAtomically } from '@mimlab/train';
import { Resvg } from '@resvg/resvg-js';
import type { TopLevelSpec } from 'vega-lite';
import { chartSvg } from '../curve/loss-chart.js';
import { PADDING } from './style.js';

/** Pixels of the PNG to one of the specification. */
const ZOOM = 2;

const resolve = createRequire(import.meta.url).resolve;
/** Regular and semi-bold Inter: machines have other fonts, or none. */
const fontFiles = (): string[] => ['400Regular/Inter_400Regular.ttf', '600SemiBold/Inter_600SemiBold.ttf'].map((file) => resolve(`@expo-google-fonts/inter/${file}`));

const renderer = (svg: string): Resvg =>
  new Resvg(svg, { fitTo: { mode: 'zoom', value: ZOOM }, background: 'white', font: { loadSystemFonts: false, fontFiles: fontFiles(), defaultFontFamily: 'Inter' } });

/** An SVG as PNG, the same on every machine. */
const rasterise = (svg: string): Buffer => renderer(svg).render().asPng();

/** Size in the first tag, and the background over all of it. */
const FRAME = /width="([\d.]+)" height="([\d.]+)" viewBox="0 0 [\d.]+ [\d.]+"><rect width="[\d.]+" height="[\d.]+" fill="white"\/>/;

/**
 * Cuts off what is empty to the right. Vega guesses the width of text without a font, about half too wide, and
 * leaves room for it.
 * @param padding kept around the drawing
 */
export function trimmed(svg: string, padding: number): string {
  const frame = FRAME.exec(svg);
  const drawn = renderer(svg.replace(FRAME, (_, width: string, height: string) => `width="${width}" height="${height}">`)).getBBox();
  if (frame === null || drawn === undefined) return svg;
  const [width, height] = [Math.min(Number(frame[1]), Math.ceil(drawn.x + drawn.width + padding)), Number(frame[2])];
  return svg.replace(FRAME, `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="${width}" height="${height}" fill="white"/>`);
}

/**
 * Writes a figure as NAME.vl.json, the Vega-Lite specification with its data, NAME.svg and NAME.png.
 * @returns the paths written
 */
export async function writeFigure(spec: TopLevelSpec, name: string, folder: string): Promise<string[]> {
  const svg = trimmed(await chartSvg(spec), PADDING);
  const files: [string, string | Buffer][] = [
    [`${name}.vl.json`, `${JSON.stringify(spec, null, 2)}\n`],
    [`${name}.svg`, svg],
    [`${name}.png`, rasterise(svg)],
  ];
  await ensureFolder(folder);
  for (const [file, content] of files) await writeFileAtomically(join(folder, file), content);
  return files.map(([file]) => join(folder, file));
}
