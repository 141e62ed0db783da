import { GROUP_NAMES, tableCells, tableHeads } from './table-cells.js';
import type { TableModel } from './table-model.js';

/** An aligned table with the names of its groups of columns above it and its notes below. */
export function formatTerminal(table: TableModel): string {
  const heads = tableHeads(table);
  const rows = tableCells(table);
  const groups = ['', ...table.columns.map(({ group }) => GROUP_NAMES[group])];
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => (row[column] as string).length)));
  // Figures stand right, words left.
  const right = [false, ...table.columns.map(({ group }) => group !== 'setting')];
  const starts = (column: number): boolean => column > 0 && groups[column] !== groups[column - 1];
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => `${starts(column) ? '| ' : ''}${right[column] === true ? cell.padStart(widths[column] as number) : cell.padEnd(widths[column] as number)}`)
      .join('  ')
      .trimEnd();
  let place = 0;
  let over = '';
  heads.forEach((_, column) => {
    if (starts(column)) {
      over = over.padEnd(place) + `| ${groups[column]}`;
      place += 2;
    }
    place += (widths[column] as number) + 2;
  });
  const scale = table.scale === undefined ? '' : ` Measured: ${table.scale}.`;
  return [`Table ${table.id.slice(1)}. ${table.title}.${scale}`, '', over, line(heads), ...rows.map(line), '', ...table.notes].join('\n');
}
