import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TokenPlan } from '@mimlab/core';
import sharp from 'sharp';
import type { TopLevelSpec } from 'vega-lite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chartSvg } from '../curve/loss-chart.js';
import { accuracyFigure } from './accuracy-bubbles.js';
import type { TableRow } from './figure-data.js';
import { fineTuningFigure } from './fine-tuning-curve.js';
import { picturesFigure } from './picture-rows.js';
import { COLOURS, seriesStyles } from './style.js';
import { isolatedCells, tokenMapsFigure } from './token-maps.js';
import { trimmed, writeFigure } from './write-figure.js';

/** A panel of a figure, as far as the tests look into it. */
interface Panel {
  readonly title?: { readonly text: string; readonly subtitle?: readonly string[] };
  readonly data?: { readonly values: readonly Record<string, unknown>[] };
  readonly layer: readonly { readonly data?: { readonly values: readonly Record<string, unknown>[] }; readonly mark: { readonly type: string } }[];
}
const panelsOf = (spec: TopLevelSpec): Panel[] => (spec as unknown as { hconcat: Panel[] }).hconcat;
const valuesOf = (panel: Panel, mark: string): readonly Record<string, unknown>[] => panel.layer.find((layer) => layer.mark.type === mark)?.data?.values ?? [];

const table = (measured?: (id: string) => TableRow['measured']): { readonly rows: TableRow[] } => ({
  rows: (
    [
      ['t2-01', 81.7, 10],
      ['t2-02', 81.4, 8],
      ['t2-03', 81.9, 8],
      ['t2-05', 81.6, 8.5],
      ['t2-06', 81.1, 7],
      ['t2-09', 81.8, 7.5],
    ] as const
  ).map(([id, top1, gmacs]) => ({ id, published: { top1 }, analytic: { gmacs }, measured: measured?.(id) })),
});

describe('figure 1', () => {
  it('shows published numbers alone where nothing was measured, and says so', async () => {
    const { spec, shown } = accuracyFigure(table());
    expect(shown).toEqual(['published']);
    expect(panelsOf(spec)).toHaveLength(1);
    expect(await chartSvg(spec)).toContain('Published numbers only: nothing was measured');
  });

  it('puts what was measured first, with bars over seeds', () => {
    const { spec, shown } = accuracyFigure(table((id) => (id === 't2-06' ? { top1: { mean: 60, spread: 0.5 } } : { top1: { mean: 61, spread: undefined } })), 'CIFAR-10');
    expect(shown).toEqual(['measured', 'published']);
    const [measured] = panelsOf(spec) as [Panel];
    expect(measured.title).toMatchObject({ text: 'Measured', subtitle: ['CIFAR-10'] });
    const bars = measured.layer.filter(({ mark }) => mark.type === 'rule').flatMap(({ data }) => data?.values ?? []);
    expect(bars).toEqual([expect.objectContaining({ series: 'partial reconstruction', thrown: 50, low: 59.5, high: 60.5 })]);
  });

  it('names the scale that the results were measured at', () => {
    const { spec } = accuracyFigure({ ...table(() => ({ top1: { mean: 61, spread: undefined } })), scale: 'cifar10' });
    expect(panelsOf(spec)[0]?.title).toMatchObject({ text: 'Measured', subtitle: ['cifar10'] });
  });

  it('has a bubble for each row of the two series, by cost relative to the full method', () => {
    const bubbles = valuesOf(panelsOf(accuracyFigure(table()).spec)[0] as Panel, 'circle');
    expect(bubbles.map(({ series, thrown, top1, cost }) => [series, thrown, top1, cost])).toEqual([
      ['full reconstruction', 0, 81.7, 1],
      ['partial reconstruction', 25, 81.4, 0.8],
      ['partial reconstruction', 50, 81.1, 0.7],
      ['PR-MIM', 25, 81.6, 0.85],
      ['PR-MIM', 50, 81.8, 0.75],
    ]);
  });

  it('has the label of the upper of two bubbles above it, that of the lower below', () => {
    const { spec } = accuracyFigure(table((id) => ({ top1: { mean: id === 't2-06' ? 62 : 61, spread: undefined } })));
    const texts = (panelsOf(spec)[0] as Panel).layer.filter(({ mark }) => mark.type === 'text');
    const [below, above] = texts.map(({ data }) => (data?.values ?? []).filter(({ thrown }) => thrown === 50).map(({ series }) => series));
    expect([above, below]).toEqual([['partial reconstruction'], ['PR-MIM']]);
  });

  it('breaks a long description of the data into lines', () => {
    const { spec } = accuracyFigure(table(() => ({ top1: { mean: 61, spread: undefined } })), 'CIFAR-10, small models, fine-tuned with 10 % of the labels');
    expect(panelsOf(spec)[0]?.title).toMatchObject({ subtitle: ['CIFAR-10, small models, fine-tuned with 10 %', 'of the labels'] });
  });

  it('begins both lines at full reconstruction', () => {
    const lines = valuesOf(panelsOf(accuracyFigure(table()).spec)[0] as Panel, 'line');
    expect(lines.filter(({ thrown }) => thrown === 0).map(({ series }) => series)).toEqual(['partial reconstruction', 'PR-MIM']);
  });

  it('leaves out accuracies that are lost or failed', () => {
    const { rows } = table();
    const lost = rows.map((row) => (row.id === 't2-09' ? { ...row, published: { top1: 'n/a' } } : row));
    expect(valuesOf(panelsOf(accuracyFigure({ rows: lost }).spec)[0] as Panel, 'circle')).toHaveLength(4);
  });

  it('is refused without any accuracy of its rows', () => {
    expect(() => accuracyFigure({ rows: [{ id: 't3-01', published: { top1: 81 } }] })).toThrow('holds no accuracy of the rows t2-01');
  });
});

/** 3 x 3: the corner 0 is visible, what is retained as told. */
const plan = (...retained: number[]): TokenPlan => ({
  grid: { rows: 3, columns: 3 },
  visible: Int32Array.of(0),
  retained: Int32Array.from(retained),
  thrown: Int32Array.from([1, 2, 3, 4, 5, 6, 7, 8].filter((cell) => !retained.includes(cell))),
});

describe('figure 5', () => {
  it('finds thrown cells whose eight neighbours are all unknown', () => {
    expect(isolatedCells(plan(1))).toEqual([6, 7, 8]);
    expect(isolatedCells(plan(4))).toEqual([]);
  });

  it('does not take the end of a row for a neighbour of the next one', () => {
    // Cell 2 ends the first row, cell 3 begins the second; 5 and 6 likewise.
    expect(isolatedCells({ grid: { rows: 2, columns: 4 }, visible: Int32Array.of(3), retained: Int32Array.of(), thrown: Int32Array.of(0, 1, 2, 4, 5, 6, 7) })).toEqual([0, 1, 4, 5]);
  });

  it('colours every cell once in each panel and counts isolated ones', () => {
    const [random, furthest] = panelsOf(tokenMapsFigure([{ name: 'random', plan: plan(1) }, { name: 'furthest', plan: plan(8) }], 0.5)) as [Panel, Panel];
    expect(random.data?.values).toHaveLength(9);
    expect(random.data?.values.filter(({ role }) => role === 'retained')).toEqual([{ row: 0, column: 1, role: 'retained', isolated: false }]);
    expect(random.title).toMatchObject({ text: 'random sampling', subtitle: 'isolated thrown tokens: 3' });
    expect(furthest.data?.values.find(({ row, column }) => row === 2 && column === 2)).toMatchObject({ role: 'retained' });
  });

  it('draws a legend of the three roles and the counts', async () => {
    const svg = await chartSvg(tokenMapsFigure([{ name: 'random', plan: plan(1) }, { name: 'furthest', plan: plan(8) }], 0.5));
    for (const text of ['visible', 'retained', 'thrown', 'random sampling', 'furthest sampling']) expect(svg).toContain(`>${text}<`);
    expect(svg).toContain('γ = 0.5: 1 visible, 1 retained, 7 thrown');
  });
});

describe('figure 6', () => {
  const rows = [
    { series: 'MAE', blocks: 0, accuracy: { mean: 60, spread: 1 } },
    { series: 'MAE', blocks: 4, accuracy: { mean: 70, spread: undefined } },
    { series: 'partial', blocks: 0, accuracy: { mean: 59, spread: undefined } },
  ];

  it('has bars only where there is a spread', () => {
    const figure = fineTuningFigure({ rows }) as unknown as Panel;
    expect(valuesOf(figure, 'rule')).toEqual([expect.objectContaining({ series: 'MAE', blocks: 0, low: 59, high: 61 })]);
    expect(valuesOf(figure, 'point')).toHaveLength(3);
  });

  it('names axes with their units, its series, and what the bars are', async () => {
    const svg = await chartSvg(fineTuningFigure({ rows, title: 'CIFAR-10' }));
    for (const text of ['top-1 accuracy (%)', 'blocks fine-tuned (0: linear probing)', 'MAE', 'partial', 'CIFAR-10', 'Bars: ± spread over seeds']) expect(svg).toContain(`>${text}<`);
  });

  it('says nothing of bars where there are none', async () => {
    expect(await chartSvg(fineTuningFigure({ rows: rows.slice(1) }))).not.toContain('spread');
  });
});

describe('figure 7', () => {
  const picture = (value: number) => ({ height: 3, width: 3, channels: 1, pixels: new Uint8Array(9).fill(value) });
  const column = (name: string, value: number) => ({ name, rows: [{ original: picture(10), reconstruction: picture(value), plan: plan(1) }] });

  async function pixels(spec: TopLevelSpec, name: string): Promise<{ data: Buffer; width: number }> {
    const values = (spec as unknown as Panel).data?.values as readonly { column: string; url: string }[];
    const url = values.find((value) => value.column === name)?.url as string;
    const { data, info } = await sharp(Buffer.from(url.split(',')[1] as string, 'base64')).greyscale().raw().toBuffer({ resolveWithObject: true });
    return { data, width: info.width };
  }

  it('shows the original, its visible patches and what each run makes of it', async () => {
    const spec = await picturesFigure([column('full', 20), column('PR-MIM', 30)], ['visible patches pasted in']);
    expect([...new Set((await pixels(spec, 'PR-MIM')).data)]).toEqual([30]);
    const { data, width } = await pixels(spec, 'visible');
    expect([width, data[0], data[width - 1]]).toEqual([114, 10, 214]);
  });

  it('is drawn with its pictures inside and their names above them', async () => {
    const svg = await chartSvg(await picturesFigure([column('full', 20), column('PR-MIM', 30)], ['visible patches pasted in']));
    expect(svg.match(/href="data:image\/png;base64,/g)).toHaveLength(4);
    for (const name of ['original', 'visible', 'full', 'PR-MIM', 'visible patches pasted in']) expect(svg).toContain(`>${name}<`);
  });
});

describe('the style of series', () => {
  it('is the same for a method in every figure, and tells the others apart', () => {
    const styles = seriesStyles(['MAE', 'partial, random', 'PR-MIM (progressive, furthest)', 'partial, furthest', 'loss subset, random']);
    expect(styles.slice(0, 3).map(({ colour }) => colour)).toEqual([COLOURS.ink, COLOURS.vermilion, COLOURS.blue]);
    expect(new Set(styles.map(({ colour, shape }) => colour + shape)).size).toBe(5);
  });
});

describe('writing a figure', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mimlab-figure-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('leaves the specification, an SVG and a PNG of twice its size, in a folder that it makes', async () => {
    const spec = fineTuningFigure({ rows: [{ series: 'MAE', blocks: 0, accuracy: { mean: 60, spread: undefined } }] });
    const into = join(folder, 'deeper', 'figures');
    const written = await writeFigure(spec, 'figure-6', into);
    expect(written).toEqual(['figure-6.vl.json', 'figure-6.svg', 'figure-6.png'].map((file) => join(into, file)));
    expect(JSON.parse(await readFile(written[0] as string, 'utf8'))).toEqual(JSON.parse(JSON.stringify(spec)));
    const [, width] = /width="(\d+)"/.exec(await readFile(written[1] as string, 'utf8')) as RegExpExecArray;
    expect((await sharp(written[2]).metadata()).width).toBe(2 * Number(width));
  });

  it('draws text into the PNG without any font of the machine', async () => {
    const spec = { width: 10, height: 10, data: { values: [{}] }, mark: { type: 'text', fontSize: 40 }, encoding: { text: { value: 'γ' } } } as unknown as TopLevelSpec;
    const [, , png] = await writeFigure(spec, 'text', folder);
    const { data } = await sharp(png).greyscale().raw().toBuffer({ resolveWithObject: true });
    expect(data.filter((value) => value < 100).length).toBeGreaterThan(50);
  });

  it('cuts off what is empty to the right, and no more', () => {
    const frame = (width: number): string => `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="40" viewBox="0 0 ${width} 40"><rect width="${width}" height="40" fill="white"/><rect x="10" y="10" width="50" height="20" fill="red"/></svg>`;
    expect(trimmed(frame(500), 12)).toBe(frame(72));
    expect(trimmed(frame(65), 12)).toBe(frame(65));
  });
});
