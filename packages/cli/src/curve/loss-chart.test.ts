import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrainingError } from '@mimlab/core';
import { afterAll, describe, expect, it } from 'vitest';
import { lossChartSvg, textAsShapes, writeLossChart, type LossChart } from './loss-chart.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-loss-chart-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const CHART: LossChart = { title: 'Verlust <1>', xName: 'update', curves: { loss: [{ x: 0, y: 2 }, { x: 1, y: 1 }] } };
/** Texts of an SVG. */
const texts = (svg: string): string[] => [...svg.matchAll(/<text\b[^>]*>([^<]*)</g)].map(([, text]) => text ?? '');

describe('a chart of losses', () => {
  it('has no level unless one is given', async () => {
    expect(await lossChartSvg(CHART)).not.toContain('stroke-dasharray="4,4"');
    expect(await lossChartSvg({ ...CHART, level: { y: 0.5, name: 'Mittel' } })).toContain('stroke-dasharray="4,4"');
  });

  it('names each of several curves', async () => {
    const svg = await lossChartSvg({ ...CHART, curves: { retained: CHART.curves['loss'] ?? [], thrown: [{ x: 0, y: 3 }] } });
    expect(texts(svg)).toEqual(expect.arrayContaining(['retained', 'thrown']));
  });

  it('leaves out what is no number', async () => {
    const svg = await lossChartSvg({ ...CHART, curves: { loss: [{ x: 0, y: 2 }, { x: 1, y: NaN }, { x: 2, y: 1 }] } });
    expect(svg).not.toContain('NaN');
  });

  it('is the same each time', async () => {
    expect(await lossChartSvg(CHART)).toBe(await lossChartSvg(CHART));
  });

  it('is written as SVG with its text and as PNG', async () => {
    await writeLossChart(CHART, join(folder, 'größe'));
    expect(readdirSync(folder).sort()).toEqual(['größe.png', 'größe.svg']);
    expect(texts(readFileSync(join(folder, 'größe.svg'), 'utf8'))).toContain('Verlust &lt;1&gt;');
    expect(readFileSync(join(folder, 'größe.png')).subarray(1, 4).toString()).toBe('PNG');
  });

  it('names the place where it cannot be written', async () => {
    const error: unknown = await writeLossChart(CHART, join(folder, 'none', 'loss')).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TrainingError);
    expect((error as Error).message).toContain(join('none', 'loss.svg'));
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});

describe('text as shapes', () => {
  const shape = (attributes: string, text = 'I'): string => textAsShapes(`<text${attributes}>${text}</text>`);
  const points = (svg: string): number => svg.split('M').length - 1;

  it('keeps place and colour, black where none is given', () => {
    expect(shape(' transform="translate(3,4)" fill="#333"')).toMatch(/^<path transform="translate\(3,4\)" fill="#333" d="M/);
    expect(shape('')).toMatch(/^<path transform="" fill="black" d="M/);
  });

  it('grows with the size of the font', () => {
    expect(shape(' font-size="20px"')).toContain('h2v2h-2z');
    expect(shape(' font-size="13px"')).toContain('h1.3v1.3h-1.3z');
  });

  it('stands on its line', () => {
    const tops = [...shape('').matchAll(/M[-\d.]+ ([-\d.]+)/g)].map(([, y]) => Number(y));
    expect([Math.min(...tops), Math.max(...tops)]).toEqual([-7, -1]);
  });

  it.each([['&lt;', '<'], ['&gt;', '>'], ['&amp;', '&'], ['&quot;', '"'], ['&#39;', "'"]])('reads %s as one character', (escaped, character) => {
    expect(points(shape('', escaped))).toBeLessThan(points(shape('', escaped.replace('&', ''))));
    if (character !== '<') expect(shape('', escaped)).toBe(shape('', character));
  });

  it('reads what was escaped twice once', () => {
    expect(shape('', '&amp;lt;')).not.toBe(shape('', '&lt;'));
    expect(points(shape('', '&amp;lt;'))).toBe(points(shape('', '&amp;')) + points(shape('', 'lt;')));
  });

  it('leaves everything else alone', () => {
    expect(textAsShapes('<g><path d="M0 0"/></g>')).toBe('<g><path d="M0 0"/></g>');
  });
});
