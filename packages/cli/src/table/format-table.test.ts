import { describe, expect, it } from 'vitest';
import { formatTable } from './format-table.js';
import { latexText } from './format-latex.js';
import type { TableModel } from './table-model.js';

const analytic = { gmacs: 9.7811, flopsRatio: 1 };

/** Two rows: one measured, one with everything that needs care: a lost cell, a lost and inferred setting, signs of every format. */
const table: TableModel = {
  id: 't2',
  title: 'A & B',
  scale: 'mnist, 50 %',
  notes: ['* inferred: throw. "Why", | and_so'],
  columns: [
    { group: 'setting', key: 'method', head: 'method' },
    { group: 'setting', key: 'throw', head: 'throw, %' },
    { group: 'published', key: 'top1', head: 'top-1, %' },
    { group: 'published', key: 'flops', head: 'GFLOPs' },
    { group: 'analytic', key: 'gmacs', head: 'GMACs' },
    { group: 'measured', key: 'top1', head: 'top-1, %' },
    { group: 'measured', key: 'others.knn, %', head: 'knn, %' },
  ],
  rows: [
    {
      id: 't2-01',
      label: 'MAE, throw 0',
      preset: 'mae/a',
      settings: { method: { value: 'MAE', inferred: false, lost: false }, throw: { value: '0', inferred: false, lost: false } },
      published: { top1: 81.7, mark: 'dagger' },
      analytic,
      measured: { top1: { mean: 61.234, spread: 0.5, seeds: 3 }, stepSeconds: 0.25, others: { 'knn, %': { mean: 50, seeds: 1 } } },
    },
    {
      id: 't2-02',
      label: 'MAE | x',
      preset: 'mae/b',
      settings: { method: { value: 'M|_"', inferred: false, lost: false }, throw: { value: '50', inferred: true, lost: true } },
      published: { top1: 81.4, delta: -0.3, throw: 'n/a', flops: 'n/a', flopsRatio: 0.72 },
      analytic,
    },
  ],
};
const lines = (format: Parameters<typeof formatTable>[1]): string[] => formatTable(table, format).split('\n');

describe('a table for the terminal', () => {
  it('is aligned under the names of its groups, with notes below', () => {
    expect(lines('terminal')).toEqual([
      'Table 2. A & B. Measured: mnist, 50 %.',
      '',
      '                          | published                 | analytic  | measured',
      'row    method  throw, %   |    top-1, %       GFLOPs  |    GMACs  |         top-1, %  knn, %',
      't2-01  MAE     0          |       81.7†            -  |    9.781  | 61.23 ± 0.50 (3)   50.00',
      't2-02  M|_"    n/a (50*)  | 81.4 (-0.3)  n/a (0.72x)  |    9.781  |                -       -',
      '',
      '* inferred: throw. "Why", | and_so',
    ]);
  });

  it('says nothing of a scale where nothing was measured', () => {
    const { id, title, notes, columns, rows } = table;
    expect(formatTable({ id, title, notes, columns, rows }, 'terminal').split('\n')[0]).toBe('Table 2. A & B.');
  });
});

describe('a table in Markdown', () => {
  it('names the group in each head and escapes what would break a cell', () => {
    expect(lines('markdown')).toEqual([
      '**Table 2.** A & B.',
      '',
      'Measured: mnist, 50 %.',
      '',
      '| row | method | throw, % | published top-1, % | published GFLOPs | analytic GMACs | measured top-1, % | measured knn, % |',
      '| --- | --- | --- | --- | --- | --- | --- | --- |',
      '| t2-01 | MAE | 0 | 81.7† | - | 9.781 | 61.23 ± 0.50 (3) | 50.00 |',
      '| t2-02 | M\\|_" | n/a (50\\*) | 81.4 (-0.3) | n/a (0.72x) | 9.781 | - | - |',
      '',
      '- \\* inferred: throw. "Why", \\| and_so',
    ]);
  });
});

describe('a table as CSV', () => {
  it('has one figure a cell in full precision, and quotes what needs it', () => {
    expect(lines('csv')).toEqual([
      'row,label,preset,setting.method,setting.throw,published.top1,published.mark,published.delta,published.throw,published.flops,published.flopsRatio,analytic.gmacs,analytic.flopsRatio,measured.stepSeconds,measured.top1.mean,measured.top1.spread,measured.top1.seeds,"measured.knn, %.mean","measured.knn, %.seeds"',
      't2-01,"MAE, throw 0",mae/a,MAE,0,81.7,dagger,,,,,9.7811,1,0.25,61.234,0.5,3,50,1',
      't2-02,MAE | x,mae/b,"M|_""",50,81.4,,-0.3,n/a,n/a,0.72,9.7811,1,,,,,,',
    ]);
  });

  it('has no measured cells where the table has no such columns', () => {
    const columns = table.columns.filter(({ group }) => group !== 'measured');
    expect(formatTable({ ...table, columns }, 'csv')).not.toContain('measured');
  });
});

describe('a table as JSON', () => {
  const parsed = JSON.parse(formatTable(table, 'json')) as { id: string; scale: string | null; rows: Record<string, Record<string, unknown>> };

  it('has rows by id with published, analytic and measured figures', () => {
    expect(parsed).toMatchObject({ id: 't2', title: 'A & B', scale: 'mnist, 50 %' });
    expect(Object.keys(parsed.rows)).toEqual(['t2-01', 't2-02']);
    expect(parsed.rows['t2-01']).toMatchObject({ id: 't2-01', published: { top1: 81.7 }, analytic, measured: { top1: { mean: 61.234, seeds: 3 }, stepSeconds: 0.25 } });
  });

  it('keeps lost cells as n/a, and says null where nothing was measured', () => {
    expect(parsed.rows['t2-02']).toMatchObject({ published: { flops: 'n/a', throw: 'n/a' }, measured: null });
  });
});

describe('a table for LaTeX', () => {
  it('is a booktabs table with heads over the groups', () => {
    expect(lines('latex')).toEqual([
      '% needs \\usepackage{booktabs}',
      '\\begin{table}',
      '  \\centering',
      '  \\caption{A \\& B. Measured: mnist, 50 \\%.}',
      '  \\begin{tabular}{lllrrrrr}',
      '    \\toprule',
      '    & & & \\multicolumn{2}{c}{published} & \\multicolumn{1}{c}{analytic} & \\multicolumn{2}{c}{measured} \\\\',
      '    \\cmidrule(lr){4-5} \\cmidrule(lr){6-6} \\cmidrule(lr){7-8}',
      '    row & method & throw, \\% & top-1, \\% & GFLOPs & GMACs & top-1, \\% & knn, \\% \\\\',
      '    \\midrule',
      '    t2-01 & MAE & 0 & 81.7\\textdagger{} & - & 9.781 & 61.23 $\\pm$ 0.50 (3) & 50.00 \\\\',
      '    t2-02 & M\\textbar{}\\_\\textquotedbl{} & n/a (50*) & 81.4 (-0.3) & n/a (0.72x) & 9.781 & - & - \\\\',
      '    \\bottomrule',
      '  \\end{tabular}',
      '  \\par\\footnotesize * inferred: throw. \\textquotedbl{}Why\\textquotedbl{}, \\textbar{} and\\_so',
      '\\end{table}',
    ]);
  });

  it('escapes every sign that LaTeX takes for a command', () => {
    expect(latexText('\\{}%&#$_~^')).toBe('\\textbackslash{}\\{\\}\\%\\&\\#\\$\\_\\textasciitilde{}\\textasciicircum{}');
  });
});
