import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { writeFileAtomically } from '@mimlab/train';
import { Interrupted } from '../failure.js';
import { gridReporter } from '../grid/grid-progress.js';
import { measureCost } from '../grid/measure-costs.js';
import { runGrid, type GridRow } from '../grid/run-grid.js';
import { catchInterrupt } from '../run/interruption.js';
import { expandSweep } from '../sweep/expand-sweep.js';
import { loadSweep } from '../sweep/sweep-file.js';
import { sweepResult, type SweepResult } from '../sweep/sweep-results.js';
import { formatSweep, type SweepFormat } from '../sweep/sweep-table.js';
import type { Terminal } from '../terminal.js';
import { aligned } from './plugins.js';

/** How commands that run many experiments are told to run them. */
export interface GridCommandOptions {
  readonly store: string;
  readonly processes: number;
  readonly threads?: number;
}

export interface SweepCommandOptions extends GridCommandOptions {
  readonly format: SweepFormat;
  readonly output?: string;
  readonly set: readonly string[];
}

/** Threads of each process: the machine's, shared out. */
export const threadsOf = ({ processes, threads }: GridCommandOptions): number => threads ?? Math.max(1, Math.floor(availableParallelism() / processes));

/** Runs every combination that a file asks for and prints one table of results. */
export async function sweepCommand(file: string, options: SweepCommandOptions, terminal: Terminal): Promise<void> {
  const sweep = loadSweep(file);
  const rows = expandSweep(sweep).map((row) => ({ ...row, experiments: row.experiments.map((experiment) => ({ ...experiment, set: [...experiment.set, ...options.set] })) }));
  const { report, end } = gridReporter(terminal);
  const interruption = catchInterrupt(terminal);
  let done: GridRow[] | undefined;
  try {
    done = await runGrid(rows.flatMap(({ experiments }) => experiments), { ...options, threads: threadsOf(options), signal: interruption.signal, report });
  } finally {
    end();
    interruption.end();
  }
  if (done === undefined) throw new Interrupted('Stopped. What is finished is kept; the same command goes on.');
  const results: SweepResult[] = [];
  let first: GridRow | undefined;
  for (const row of rows) {
    const own = done.splice(0, row.experiments.length);
    const trained = own.find(({ outcome }) => outcome.pretrain !== undefined);
    first ??= trained;
    const cost = sweep.cost && trained !== undefined && first !== undefined ? await measureCost(trained.context, first.context, join(options.store, 'costs')) : undefined;
    results.push(sweepResult(row, own, cost));
  }
  const title = sweep.title ?? basename(file);
  const text = formatSweep({ title, evaluations: [...new Set(results.flatMap(({ evaluations }) => Object.keys(evaluations)))], rows: results }, options.format, aligned);
  if (options.output === undefined) terminal.out(text);
  else {
    await writeFileAtomically(options.output, `${text}\n`);
    terminal.out(options.output);
  }
}
