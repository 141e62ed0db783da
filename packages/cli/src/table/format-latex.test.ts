import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildTable } from './build-table.js';
import { formatLatex, latexText } from './format-latex.js';
import { loadPaperTables } from './paper-tables.js';
import type { Column, TableModel } from './table-model.js';

describe('text for LaTeX', () => {
  it('has no sign left that LaTeX or its fonts take for another', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\\{}%&#$_~^|"<>a ]*$/), (text) => {
        const plain = latexText(text)
          .replaceAll(/\\text(backslash|asciitilde|asciicircum|bar|quotedbl|less|greater)\{\}/g, '')
          .replaceAll(/\\[{}%&#$_]/g, '');
        expect(plain).toMatch(/^[a ]*$/);
      }),
    );
  });

  it('keeps letters of any language', () => {
    expect(latexText('Größe, размер')).toBe('Größe, размер');
  });

  it('writes what the default fonts print as other signs by name', () => {
    expect(latexText('a < b > c')).toBe('a \\textless{} b \\textgreater{} c');
  });
});

describe('tables for LaTeX', () => {
  const table = (...groups: Column['group'][]): TableModel => ({ id: 't2', title: 'T', notes: [], columns: groups.map((group, at) => ({ group, key: `${at}`, head: `h${at}` })), rows: [] });

  it('have as many cells in each line as columns', () => {
    const lines = formatLatex(table('setting', 'setting', 'published', 'analytic', 'analytic', 'measured')).split('\n');
    expect(lines).toContain('  \\begin{tabular}{lllrrrr}');
    expect(lines).toContain('    & & & \\multicolumn{1}{c}{published} & \\multicolumn{2}{c}{analytic} & \\multicolumn{1}{c}{measured} \\\\');
    expect(lines).toContain('    \\cmidrule(lr){4-4} \\cmidrule(lr){5-6} \\cmidrule(lr){7-7}');
    expect(lines).toContain('    row & h0 & h1 & h2 & h3 & h4 & h5 \\\\');
  });

  it('say nothing of a scale where nothing was measured', () => {
    expect(formatLatex(table('setting'))).toContain('\\caption{T.}');
    expect(formatLatex({ ...table('setting'), scale: '10 % of it' })).toContain('\\caption{T. Measured: 10 \\% of it.}');
  });

  it('of the paper hold nothing that an English document cannot print', async () => {
    for (const { id, ...rest } of loadPaperTables()) {
      const text = formatLatex(await buildTable({ id, ...rest }));
      expect([id, text.match(/[^\n -~]/g)]).toEqual([id, null]);
    }
  });
});
