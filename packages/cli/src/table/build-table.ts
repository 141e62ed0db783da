import { rowAnalytic, type Analytic } from './analytic.js';
import { ANALYTIC, MEASURED, METRICS, SETTINGS } from './columns.js';
import { shortId, type PaperRow, type PaperTable } from './paper-tables.js';
import { rowPreset } from './row-preset.js';
import { rowLabel } from './row-words.js';
import type { Column, Measured, PublishedValue, Setting, TableModel, TableRow } from './table-model.js';
import { tableNotes } from './table-notes.js';

/** Value of a cell that the paper prints and the source at hand has lost. */
export const LOST = 'n/a';

export interface BuildOptions {
  /** Default: all. */
  readonly rows?: readonly PaperRow[];
  /** By id of the row. Absent: the table has no measured columns; empty: they stand there without figures. */
  readonly measured?: ReadonlyMap<string, Measured>;
  /** What was measured on. */
  readonly scale?: string;
}

/** Published cells of a row: what is printed, what the running text says, and `n/a` for what is lost. */
export const publishedCells = ({ reported, known, lost }: PaperRow): Record<string, PublishedValue> => ({ ...reported, ...known, ...Object.fromEntries(lost.map((key) => [key, LOST])) });

function settingsOf(row: PaperRow, table: PaperTable): Record<string, Setting> {
  return Object.fromEntries(
    table.columns.flatMap((key) => {
      const column = SETTINGS[key];
      const value = column?.value(row);
      if (column === undefined || value === undefined) return [];
      const among = (names: readonly string[]): boolean => column.facts.some((fact) => names.includes(fact));
      return [[key, { value, inferred: among(row.inferred), lost: among(row.lost) }] as const];
    }),
  );
}

/** Puts together what the paper says of a table's rows, what they cost by computation, and what was measured. Nothing is trained. */
export async function buildTable(table: PaperTable, { rows: chosen = table.rows, measured, scale }: BuildOptions = {}): Promise<TableModel> {
  const rows: TableRow[] = [];
  for (const row of chosen) {
    const own = measured?.get(row.id);
    rows.push({
      id: row.id,
      label: rowLabel(row),
      preset: rowPreset(row.id),
      settings: settingsOf(row, table),
      published: publishedCells(row),
      analytic: await rowAnalytic(row),
      ...(own === undefined ? {} : { measured: own }),
    });
  }
  return {
    id: shortId(table),
    title: table.title,
    ...(scale === undefined ? {} : { scale }),
    notes: tableNotes(table, chosen, rows),
    columns: [...paperColumns(table), ...analyticColumns(table, rows), ...(measured === undefined ? [] : measuredColumns(rows))],
    rows,
  };
}

/** The columns of the paper, in its order: settings first, then results. */
function paperColumns({ columns }: PaperTable): Column[] {
  return columns.map((key): Column => {
    const setting = SETTINGS[key];
    if (setting !== undefined) return { group: 'setting', key, head: setting.head };
    return { group: 'published', key, head: METRICS[key]?.head ?? key };
  });
}

/** Figures that some row has; the module's own where the table is about modules. */
function analyticColumns({ rows: all }: PaperTable, rows: readonly TableRow[]): Column[] {
  const aboutModules = all.every(({ components }) => components.aggregator !== undefined);
  return ANALYTIC.filter(({ key }) => (key !== 'moduleGmacs' || aboutModules) && rows.some(({ analytic }) => analytic[key as keyof Analytic] !== undefined)).map((column): Column => ({ group: 'analytic', ...column }));
}

function measuredColumns(rows: readonly TableRow[]): Column[] {
  const others = [...new Set(rows.flatMap(({ measured }) => Object.keys(measured?.others ?? {})))];
  return [...MEASURED, ...others.map((head) => ({ key: `others.${head}`, head }))].map((column): Column => ({ group: 'measured', ...column }));
}
