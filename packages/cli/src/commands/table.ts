import { ConfigError } from '@mimlab/core';
import { measureRows } from '../scale/measure-rows.js';
import { loadScale } from '../scale/scale-file.js';
import { buildTable, type BuildOptions } from '../table/build-table.js';
import type { TableFormat } from '../table/format-names.js';
import { formatTable } from '../table/format-table.js';
import { findTable, type PaperRow, type PaperTable } from '../table/paper-tables.js';
import { selectRows } from '../table/select-rows.js';
import type { Terminal } from '../terminal.js';
import { withGrid, type GridCommandOptions } from './grid-run.js';
import { printOrWrite } from './print-or-write.js';

export interface TableCommandOptions extends GridCommandOptions {
  /** Published and computed columns only. */
  readonly analytic?: boolean;
  /** What the measured columns are measured on: a name, a file or an image folder. */
  readonly scale?: string;
  readonly quick?: boolean;
  readonly seeds: number;
  /** Over every configuration. */
  readonly set: readonly string[];
  /** Measure time and memory of a step. */
  readonly cost: boolean;
  readonly format: TableFormat;
  /** Ids and ranges; default: all rows. */
  readonly rows?: string;
  readonly output?: string;
}

/** Prints a table of the paper: published, computed and, at a scale, measured columns side by side. */
export async function tableCommand(id: string, options: TableCommandOptions, terminal: Terminal): Promise<void> {
  const { analytic, scale, format, output } = options;
  const idle = measuring(options);
  if (scale === undefined && idle !== undefined) {
    throw new ConfigError('nothing is measured without a scale', { place: idle, remedy: 'Add --scale cifar10, --scale mnist, the path of a scale file, or an image folder.' });
  }
  if (analytic === true && scale !== undefined) throw new ConfigError('one asks for computed columns only, the other for measured ones', { place: '--analytic, --scale', remedy: 'Give one of them.' });
  const table = findTable(id);
  const rows = options.rows === undefined ? table.rows : selectRows(table, options.rows);
  const measured = scale === undefined ? {} : await measure(table, rows, scale, options, terminal);
  await printOrWrite(formatTable(await buildTable(table, { rows, ...measured }), format), output, terminal);
}

/** An option that is given and says how to measure. */
function measuring({ quick, set, seeds, cost }: Pick<TableCommandOptions, 'quick' | 'set' | 'seeds' | 'cost'>): string | undefined {
  if (quick === true) return '--quick';
  if (set.length > 0) return '--set';
  if (seeds > 1) return '--seeds';
  return cost ? undefined : '--no-cost';
}

async function measure(table: PaperTable, rows: readonly PaperRow[], name: string, options: TableCommandOptions, terminal: Terminal): Promise<Pick<BuildOptions, 'measured' | 'scale'>> {
  const scale = loadScale(name, options.quick === true);
  const { seeds, set, cost } = options;
  const notice = (message: string): void => {
    terminal.note(`note: ${message}`);
  };
  const measured = await withGrid(options, terminal, (grid) => measureRows(table, rows, { ...grid, scale, seeds, set, cost, notice }));
  return { measured, scale: scale.title };
}
