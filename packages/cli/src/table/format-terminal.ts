import { GROUP_NAMES, tableCells, tableHeads } from './table-cells.js';
import type { TableModel } from './table-model.js';

const GAP = '  ';

/** An aligned table with the names of its groups of columns above it and its notes below. */
export function formatTerminal(table: TableModel): string {
  const lines = [tableHeads(table), ...tableCells(table)];
  const names = ['', ...table.columns.map(({ group }) => GROUP_NAMES[group])];
  const begins = names.map((name, column) => column > 0 && name !== names[column - 1]);
  // Figures stand right, words left.
  const right = [false, ...table.columns.map(({ group }) => group !== 'setting')];
  // A group of one column is at least as wide as its name.
  const alone = begins.map((begin, column) => begin && begins[column + 1] !== false);
  const widths = names.map((name, column) => Math.max(alone[column] === true ? name.length : 0, ...lines.map((cells) => (cells[column] as string).length)));

  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] as number;
        return `${begins[column] === true ? '| ' : ''}${right[column] === true ? cell.padStart(width) : cell.padEnd(width)}`;
      })
      .join(GAP)
      .trimEnd();

  const over = names.reduce(
    ({ text, place }, name, column) => ({
      text: begins[column] === true ? `${text.padEnd(place)}| ${name}` : text,
      place: place + (begins[column] === true ? 2 : 0) + (widths[column] as number) + GAP.length,
    }),
    { text: '', place: 0 },
  );
  const scale = table.scale === undefined ? '' : ` Measured: ${table.scale}.`;
  const [heads, ...rows] = lines.map(line);
  return [`Table ${table.id.slice(1)}. ${table.title}.${scale}`, '', over.text, heads, ...rows, '', ...table.notes].join('\n');
}
