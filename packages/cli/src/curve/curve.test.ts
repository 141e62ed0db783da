import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lossChartSvg, textAsShapes, writeLossChart } from './loss-chart.js';
import { textCurve } from './text-curve.js';

const falling = Array.from({ length: 50 }, (_, x) => ({ x, y: 1 / (1 + x) }));

describe('the curve in the terminal', () => {
  it('falls from the upper left to the lower right', () => {
    const lines = textCurve(falling, { width: 20, height: 4, xName: 'update' }).split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]).toContain('1 |');
    expect(lines[0]?.split('|')[1]?.[0]).not.toBe('⠀');
    expect(lines[0]?.at(-1)).toBe('⠀');
    expect(lines[3]?.at(-1)).not.toBe('⠀');
  });

  it('names the ends of both axes', () => {
    const text = textCurve(falling, { width: 30, height: 3, xName: 'update' });
    expect(text).toContain('0.0200 |');
    expect(text.split('\n').at(-1)).toMatch(/^\s+0\s+update 49$/);
  });

  it('draws one value and no values without failing', () => {
    expect(textCurve([{ x: 3, y: 2 }], { xName: 'x' })).toContain('2 |');
    expect(textCurve([], { xName: 'x' })).toBe('(no points)');
  });

  it('leaves out values that are no numbers', () => {
    expect(textCurve([...falling, { x: 60, y: Number.NaN }], { xName: 'x' })).not.toContain('NaN');
  });
});

describe('the chart', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mimlab-chart-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const chart = { title: 'Loss', xName: 'update', curves: { loss: falling }, level: { y: 0.9, name: 'constant prediction' } };

  it('names its axes, its title and its level', async () => {
    const svg = await lossChartSvg(chart);
    for (const text of ['Loss', 'update', 'loss', 'constant prediction']) expect(svg).toContain(`>${text}<`);
  });

  it('has text in its PNG without any font', async () => {
    await writeLossChart(chart, join(folder, 'curve'));
    expect(await readFile(join(folder, 'curve.svg'), 'utf8')).toContain('<svg');
    const { data, info } = await sharp(join(folder, 'curve.png')).greyscale().raw().toBuffer({ resolveWithObject: true });
    const titleRows = data.subarray(0, Math.round(info.height * 0.06) * info.width);
    expect(titleRows.filter((value) => value < 100).length).toBeGreaterThan(20);
  });

  it('places text by its anchor', () => {
    const shape = (anchor: string): number => {
      const path = textAsShapes(`<text text-anchor="${anchor}" font-size="10px">I</text>`);
      return Number(/M([-\d.]+)/.exec(path)?.[1]);
    };
    expect(shape('start')).toBe(1);
    expect(shape('middle')).toBe(-1.5);
    expect(shape('end')).toBe(-4);
  });
});
