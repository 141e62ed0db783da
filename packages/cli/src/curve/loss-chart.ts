import { writeFileAtomically } from '@mimlab/train';
import { Resvg } from '@resvg/resvg-js';
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { eachDot, GLYPH, textWidth } from '../pictures/pixel-font.js';
import type { CurvePoint } from './text-curve.js';

export interface LossChart {
  readonly title: string;
  readonly xName: string;
  /** Curves by name. */
  readonly curves: Readonly<Record<string, readonly CurvePoint[]>>;
  /** A horizontal line to compare with. */
  readonly level?: { readonly y: number; readonly name: string };
}

/** Draws curves as SVG. */
export async function lossChartSvg({ title, xName, curves, level }: LossChart): Promise<string> {
  const values = Object.entries(curves).flatMap(([curve, points]) => points.map(({ x, y }) => ({ curve, x, y })));
  const spec: TopLevelSpec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    width: 520,
    height: 280,
    background: 'white',
    title,
    layer: [
      {
        data: { values },
        mark: { type: 'line', strokeWidth: 1.5 },
        encoding: {
          x: { field: 'x', type: 'quantitative', title: xName, axis: { tickCount: 6 } },
          y: { field: 'y', type: 'quantitative', title: 'loss', scale: { zero: false } },
          color: { field: 'curve', type: 'nominal', title: null, scale: { range: ['#333333', '#1f77b4', '#e08214', '#2ca02c'] } },
        },
      },
      ...(level === undefined
        ? []
        : [
            {
              data: { values: [{ y: level.y, name: level.name }] },
              encoding: { y: { field: 'y', type: 'quantitative' as const } },
              layer: [
                { mark: { type: 'rule' as const, strokeDash: [4, 4], color: '#888888' } },
                { mark: { type: 'text' as const, align: 'right' as const, baseline: 'bottom' as const, dy: -3, color: '#666666' }, encoding: { text: { field: 'name' }, x: { value: 516 } } },
              ],
            },
          ]),
    ],
  };
  return chartSvg(spec);
}

/** Draws a Vega-Lite specification as SVG. */
export async function chartSvg(spec: TopLevelSpec): Promise<string> {
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Writes NAME.svg and NAME.png, each whole or not at all. @throws TrainingError naming the path if it cannot be written */
export async function writeLossChart(chart: LossChart, path: string): Promise<void> {
  const svg = await lossChartSvg(chart);
  await writeFileAtomically(`${path}.svg`, svg);
  const picture = new Resvg(textAsShapes(svg), { fitTo: { mode: 'zoom', value: 1.5 }, background: 'white', font: { loadSystemFonts: false } }).render();
  await writeFileAtomically(`${path}.png`, picture.asPng());
}

/**
 * Replaces text by squares of the dot font: the rasteriser leaves text out where the machine has no fonts, and would
 * draw it differently on every machine that has some.
 */
export function textAsShapes(svg: string): string {
  return svg.replace(/<text\b([^>]*)>([^<]*)<\/text>/g, (_, attributes: string, escaped: string) => {
    const attribute = (name: string): string | undefined => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
    const text = unescape(escaped);
    const dot = Math.round((Number.parseFloat(attribute('font-size') ?? '10') / 10) * 10) / 10;
    const width = textWidth(text) * dot;
    const left = { middle: -width / 2, end: -width }[attribute('text-anchor') ?? ''] ?? 0;
    let shape = '';
    eachDot(text, (x, y) => {
      shape += `M${(left + x * dot).toFixed(2)} ${((y - GLYPH.height) * dot).toFixed(2)}h${dot}v${dot}h${-dot}z`;
    });
    return `<path transform="${attribute('transform') ?? ''}" fill="${attribute('fill') ?? 'black'}" d="${shape}"/>`;
  });
}

const unescape = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name] as string);
