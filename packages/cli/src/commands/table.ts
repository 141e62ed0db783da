import { writeFileAtomically } from '@mimlab/train';
import { buildTable } from '../table/build-table.js';
import type { TableFormat } from '../table/format-names.js';
import { formatTable } from '../table/format-table.js';
import { findTable, type PaperRow, type PaperTable } from '../table/paper-tables.js';
import { selectRows } from '../table/select-rows.js';
import type { Measured } from '../table/table-model.js';
import type { Terminal } from '../terminal.js';

export interface TableCommandOptions {
  /** Leave measured columns out. */
  readonly analytic?: boolean;
  readonly format: TableFormat;
  /** Ids and ranges; default: all rows. */
  readonly rows?: string;
  readonly output?: string;
}

/** Measures rows, or finds what was measured before. */
export type MeasureRows = (table: PaperTable, rows: readonly PaperRow[]) => Promise<{ readonly measured: ReadonlyMap<string, Measured>; readonly scale?: string }>;

const nothingMeasured: MeasureRows = () => Promise.resolve({ measured: new Map() });

/** Prints a table of the paper: published, analytic and measured columns side by side. */
export async function tableCommand(id: string, { analytic, format, rows: list, output }: TableCommandOptions, terminal: Terminal, measureRows: MeasureRows = nothingMeasured): Promise<void> {
  const table = findTable(id);
  const rows = list === undefined ? table.rows : selectRows(table, list);
  const text = formatTable(await buildTable(table, { rows, ...(analytic === true ? {} : await measureRows(table, rows)) }), format);
  if (output === undefined) {
    terminal.out(text);
    return;
  }
  await writeFileAtomically(output, `${text}\n`);
  terminal.out(output);
}
