import type { TopLevelSpec } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import { accuracyFigure } from './accuracy-bubbles.js';
import type { TableRow } from './figure-data.js';

const row = (id: string, top1: number, gmacs?: number): TableRow => ({ id, published: { top1 }, analytic: gmacs === undefined ? null : { gmacs }, measured: null });
interface Layer {
  readonly data: { readonly values: readonly Record<string, unknown>[] };
  readonly mark: { readonly type: string };
}
const panels = (spec: TopLevelSpec): { readonly title: { readonly text: string; readonly subtitle?: readonly string[] }; readonly layer: readonly Layer[] }[] => (spec as unknown as { hconcat: never[] }).hconcat;
const layer = (rows: TableRow[], type: string): readonly Record<string, unknown>[] => panels(accuracyFigure({ rows }).spec)[0]?.layer.find(({ mark }) => mark.type === type)?.data.values ?? [];

describe('bubbles of figure 1', () => {
  it('have no area and no label where costs are not known, of the row or of the full method', () => {
    expect(layer([row('t2-01', 81.7, 10), row('t2-09', 81.8)], 'circle').map(({ cost, label }) => [cost, label])).toEqual([[1, '1.00'], [undefined, undefined]]);
    expect(layer([row('t2-09', 81.8, 7)], 'circle').map(({ cost }) => cost)).toEqual([undefined]);
  });

  it('are of the rows of the two series alone, in whatever order a file has them', () => {
    const bubbles = layer([row('t2-13', 81, 6), row('t2-03', 99), row('t3-01', 99), row('t2-01', 82, 10)], 'circle');
    expect(bubbles.map(({ series, thrown }) => [series, thrown])).toEqual([['full reconstruction', 0], ['PR-MIM', 65]]);
  });

  it('have their label above where PR-MIM and partial reconstruction are equal', () => {
    const texts = panels(accuracyFigure({ rows: [row('t2-06', 81), row('t2-09', 81)] }).spec)[0]?.layer.filter(({ mark }) => mark.type === 'text') ?? [];
    const above = texts.find(({ data }) => data.values.some(({ shift }) => (shift as number) < 0));
    expect(above?.data.values.map(({ series }) => series)).toEqual(['PR-MIM']);
  });

  it('have their label as far away as their bar is long, and never within the bubble', () => {
    const spread = (id: string, mean: number, deviation: number): TableRow => ({ ...row(id, 0), published: null, measured: { top1: { mean, spread: deviation } } });
    const shifts = panels(accuracyFigure({ rows: [spread('t2-06', 60, 2), spread('t2-09', 50, 0.1)] }).spec)[0]?.layer.filter(({ mark }) => mark.type === 'text').flatMap(({ data }) => data.values);
    const of = (series: string): number => Math.abs(shifts?.find((bubble) => bubble['series'] === series)?.['shift'] as number);
    expect(of('PR-MIM')).toBeCloseTo(Math.sqrt(900 / Math.PI) + 9);
    expect(of('partial reconstruction')).toBeCloseTo((2 * 180) / 12.1 + 9);
  });

  it('are shown of one accuracy alone', () => {
    expect(layer([row('t2-01', 81.7)], 'circle')).toHaveLength(1);
  });
});

describe('panels of figure 1', () => {
  const measured = (spread?: number): TableRow => ({ ...row('t2-01', 81.7), measured: { top1: { mean: 60, spread } } });

  it('show what was measured alone where the paper has no number', () => {
    const { spec, shown } = accuracyFigure({ rows: [{ ...measured(), published: { top1: 'fail' } }] });
    expect(shown).toEqual(['measured']);
    expect(panels(spec).map(({ title }) => title.text)).toEqual(['Measured']);
  });

  it('have no line below their title where it is not known what was measured on', () => {
    expect(panels(accuracyFigure({ rows: [measured()], scale: null }).spec)[0]?.title).not.toHaveProperty('subtitle');
  });

  it('are titled as the user says rather than by the scale', () => {
    expect(panels(accuracyFigure({ rows: [measured()], scale: 'cifar10' }, 'Mine').spec)[0]?.title.subtitle).toEqual(['Mine']);
  });

  it('keep a word that is longer than a line whole', () => {
    const word = 'w'.repeat(60);
    expect(panels(accuracyFigure({ rows: [measured()] }, `a ${word} b`).spec)[0]?.title.subtitle).toEqual(['a', word, 'b']);
  });

  it('have bars for what has a spread, none of it included', () => {
    const bars = (spread?: number): number => panels(accuracyFigure({ rows: [measured(spread)] }).spec)[0]?.layer.filter(({ mark }) => mark.type === 'rule').flatMap(({ data }) => data.values).length ?? 0;
    expect([bars(), bars(0), bars(1)]).toEqual([0, 1, 1]);
  });

  it('say what bars are where there are some', () => {
    const subtitle = (spread?: number): readonly string[] => (accuracyFigure({ rows: [measured(spread)] }).spec as unknown as { title: { subtitle: string[] } }).title.subtitle;
    expect(subtitle(1)).toContain('Bars: standard deviation over seeds');
    expect(subtitle()).not.toContain('Bars: standard deviation over seeds');
  });
});
