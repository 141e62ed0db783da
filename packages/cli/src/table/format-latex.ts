import { GROUP_NAMES, tableCells, tableHeads } from './table-cells.js';
import type { Column, TableModel } from './table-model.js';

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '{': '\\{',
  '}': '\\}',
  '%': '\\%',
  '&': '\\&',
  '#': '\\#',
  $: '\\$',
  _: '\\_',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '±': '$\\pm$',
  '†': '\\textdagger{}',
  '×': '$\\times$',
  // These print as other signs in the default encoding of fonts.
  '|': '\\textbar{}',
  '"': '\\textquotedbl{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
};

/** Text as LaTeX prints it as it is. */
export const latexText = (text: string): string => text.replace(/[\\{}%&#$_~^±†×|"<>]/g, (sign) => SPECIAL[sign] as string);

/** Neighbouring columns of one group: heads over them. */
function spans(columns: readonly Column[]): { readonly group: Column['group']; readonly from: number; readonly to: number }[] {
  const found: { group: Column['group']; from: number; to: number }[] = [];
  columns.forEach(({ group }, index) => {
    const last = found.at(-1);
    // Columns of LaTeX are counted from 1, and the first one is the row's id.
    if (last?.group === group) last.to = index + 2;
    else found.push({ group, from: index + 2, to: index + 2 });
  });
  return found;
}

/** A table for LaTeX with the package booktabs. */
export function formatLatex(table: TableModel): string {
  const line = (cells: readonly string[]): string => `    ${cells.map(latexText).join(' & ')} \\\\`;
  const groups = spans(table.columns);
  const over = groups.map(({ group, from, to }) => (GROUP_NAMES[group] === '' ? '& '.repeat(to - from).trim() : `\\multicolumn{${to - from + 1}}{c}{${GROUP_NAMES[group]}}`));
  const rules = groups.filter(({ group }) => GROUP_NAMES[group] !== '').map(({ from, to }) => `\\cmidrule(lr){${from}-${to}}`);
  const numeric = table.columns.map(({ group }) => (group === 'setting' ? 'l' : 'r')).join('');
  const scale = table.scale === undefined ? '' : ` Measured: ${table.scale}.`;
  return [
    '% needs \\usepackage{booktabs}',
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${latexText(`${table.title}.${scale}`)}}`,
    `  \\begin{tabular}{l${numeric}}`,
    '    \\toprule',
    `    & ${over.join(' & ')} \\\\`,
    `    ${rules.join(' ')}`,
    line(tableHeads(table)),
    '    \\midrule',
    ...tableCells(table).map(line),
    '    \\bottomrule',
    '  \\end{tabular}',
    ...table.notes.map((note) => `  \\par\\footnotesize ${latexText(note)}`),
    '\\end{table}',
  ].join('\n');
}
