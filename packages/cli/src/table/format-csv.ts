import type { MeasuredFigure, TableModel, TableRow } from './table-model.js';

type Cells = Readonly<Record<string, string | number>>;

const quoted = (cell: string): string => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** Cells as a line of CSV (RFC 4180). */
export const csvLine = (cells: readonly string[]): string => cells.map(quoted).join(',');

const prefixed = (prefix: string, values: Readonly<Record<string, string | number>>): Record<string, string | number> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`${prefix}.${key}`, value]));

const figureCells = (name: string, { mean, spread, seeds }: MeasuredFigure): Cells => prefixed(name, { mean, ...(spread === undefined ? {} : { spread }), seeds });

function measuredCells({ measured }: TableRow): Cells {
  if (measured === undefined) return {};
  const { top1, others = {}, ...numbers } = measured;
  const figures = [...(top1 === undefined ? [] : [['top1', top1] as const]), ...Object.entries(others)];
  return prefixed('measured', Object.assign({}, numbers, ...figures.map(([name, figure]) => figureCells(name, figure))) as Cells);
}

/** CSV with one figure a cell, in full precision: `published.top1`, `analytic.gmacs`, `measured.top1.mean`. Empty where there is none. */
export function formatCsv({ rows, columns }: TableModel): string {
  const parts: ((row: TableRow) => Cells)[] = [
    ({ id, label, preset }) => ({ row: id, label, preset }),
    ({ settings }) => prefixed('setting', Object.fromEntries(Object.entries(settings).map(([key, { value }]) => [key, value]))),
    ({ published }) => prefixed('published', published),
    ({ analytic }) => prefixed('analytic', { ...analytic }),
    ...(columns.some(({ group }) => group === 'measured') ? [measuredCells] : []),
  ];
  // Columns that several rows have stand once, those of a part beside each other.
  const heads = parts.flatMap((part) => [...new Set(rows.flatMap((row) => Object.keys(part(row))))]);
  const lines = rows.map((row) => {
    const cells = Object.assign({}, ...parts.map((part) => part(row))) as Cells;
    return heads.map((head) => String(cells[head] ?? ''));
  });
  return [heads, ...lines].map(csvLine).join('\n');
}
