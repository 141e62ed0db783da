import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvLine, formatCsv } from './format-csv.js';
import type { TableModel, TableRow } from './table-model.js';

/** Reads CSV as RFC 4180 has it: quoted cells hold anything, quotes in them are doubled. */
function cellsOf(line: string): string[] {
  return [...`,${line}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}

describe('a line of CSV', () => {
  it('is read back as it was, whatever its cells hold', () => {
    const cell = fc.oneof(fc.string(), fc.stringMatching(/^[",\r\na ж]*$/));
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 5 }), (cells) => {
        expect(cellsOf(csvLine(cells))).toEqual(cells);
      }),
    );
  });

  it('quotes nothing that needs no quotes', () => {
    expect(csvLine(['a b', '1.5', '', 'ж|*'])).toBe('a b,1.5,,ж|*');
  });
});

describe('a table as CSV', () => {
  const row = (id: string, more: Partial<TableRow> = {}): TableRow => ({ id, label: id, preset: 'p', settings: {}, published: {}, analytic: { gmacs: 1, flopsRatio: 1 }, ...more });
  const lines = (rows: TableRow[], columns: TableModel['columns'] = []): string[] => formatCsv({ id: 't2', title: '', notes: [], columns, rows }).split('\n');

  it('has a column for whatever some row has, others empty there', () => {
    expect(lines([row('a', { published: { top1: 1 } }), row('b', { published: { flops: 'n/a' } })])).toEqual([
      'row,label,preset,published.top1,published.flops,analytic.gmacs,analytic.flopsRatio',
      'a,a,p,1,,1,1',
      'b,b,p,,n/a,1,1',
    ]);
  });

  it('has settings without marks, and numbers in full', () => {
    const [, cells] = lines([row('a', { settings: { throw: { value: '50', inferred: true, lost: true } }, analytic: { gmacs: 1 / 3, flopsRatio: 1 } })]);
    expect(cells).toBe('a,a,p,50,0.3333333333333333,1');
  });

  it('keeps a measured zero apart from what was not measured', () => {
    const measured = [{ group: 'measured', key: 'top1', head: '' }] as const;
    expect(lines([row('a', { measured: { top1: { mean: 0, spread: 0, seeds: 2 } } }), row('b')], measured).map((line) => line.split(',').slice(5))).toEqual([
      ['measured.top1.mean', 'measured.top1.spread', 'measured.top1.seeds'],
      ['0', '0', '2'],
      ['', '', ''],
    ]);
  });

  it('is its heads alone where no row is chosen', () => {
    expect(lines([])).toEqual(['']);
  });
});
