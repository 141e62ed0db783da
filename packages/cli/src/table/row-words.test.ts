import { describe, expect, it } from 'vitest';
import { loadPaperTables, type PaperRow } from './paper-tables.js';
import { methodWords, rowLabel } from './row-words.js';

const row = (components: PaperRow['components'], more: Partial<PaperRow> = {}): PaperRow =>
  ({ id: 't2-01', framework: 'MAE', arch: 'ViT-B/16', epochs: 100, throw: 50, components, reported: {}, known: {}, lost: [], inferred: [], analytic: {}, ...more }) as PaperRow;

describe('the method of a row', () => {
  it.each<[string, PaperRow['components']]>([
    ['MAE', { progressive: false, sampler: 'none' }],
    ['MAE', { progressive: false, sampler: 'unknown' }],
    ['MAE + AMT', { progressive: false, sampler: 'amt' }],
    ['MAE, partial', { progressive: false, sampler: 'random' }],
    ['MAE, partial, furthest', { progressive: false, sampler: 'furthest' }],
    ['MAE + progressive, random', { progressive: true, sampler: 'random' }],
    ['MAE + PR-MIM', { progressive: true, sampler: 'furthest' }],
  ])('is called %s', (words, components) => {
    expect(methodWords(row(components))).toBe(words);
  });
});

describe('the label of a row', () => {
  it('has architecture, schedule and ratio', () => {
    expect(rowLabel(row({ progressive: false, sampler: 'none' }, { framework: 'SimMIM', arch: 'Swin-B', epochs: 800, throw: 0 }))).toBe('SimMIM, Swin-B, 800 epochs, throw 0');
  });

  it('names an aggregation where the table is about them, with its kernel where it has one', () => {
    const components = { progressive: true, sampler: 'furthest' } as const;
    expect(rowLabel(row({ ...components, aggregator: 'dwconv', kernel: 5 }))).toMatch(/, dwconv 5x5$/);
    expect(rowLabel(row({ ...components, aggregator: 'avgpool' }))).toMatch(/, avgpool$/);
  });

  it('tells the rows of tables 2, 5, 6, 11 and 12 apart', () => {
    for (const { id, rows } of loadPaperTables().filter((table) => ['table2', 'table5', 'table6', 'table11', 'table12'].includes(table.id))) expect([id, new Set(rows.map(rowLabel)).size]).toEqual([id, rows.length]);
  });
});
