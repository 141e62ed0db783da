import { basename, join } from 'node:path';
import { ConfigError } from '@mimlab/core';
import { nameOf } from '../grid/evaluation-settings.js';
import { measureCost } from '../grid/measure-costs.js';
import { runGrid, type GridRow } from '../grid/run-grid.js';
import { expandSweep } from '../sweep/expand-sweep.js';
import { loadSweep } from '../sweep/sweep-file.js';
import { sweepResult, type SweepResult } from '../sweep/sweep-results.js';
import { formatSweep, type SweepFormat } from '../sweep/sweep-table.js';
import type { Terminal } from '../terminal.js';
import { withGrid, type GridCommandOptions } from './grid-run.js';
import { aligned } from './plugins.js';
import { printOrWrite } from './print-or-write.js';

export interface SweepCommandOptions extends GridCommandOptions {
  readonly format: SweepFormat;
  readonly output?: string;
  readonly set: readonly string[];
}

/**
 * Runs every combination that a file asks for and prints one table of results.
 * @throws ConfigError if the seed is set for all: every row is run with those of the file
 */
export async function sweepCommand(file: string, options: SweepCommandOptions, terminal: Terminal): Promise<void> {
  const seed = options.set.find((setting) => /^\s*seed\s*=/.test(setting));
  if (seed !== undefined) throw new ConfigError(`'${seed}' would make all seeds one`, { place: '--set', remedy: `Leave it out, and name seeds under 'seeds' of the file.` });
  const sweep = loadSweep(file);
  const rows = expandSweep(sweep).map((row) => ({ ...row, experiments: row.experiments.map((experiment) => ({ ...experiment, set: [...experiment.set, ...options.set] })) }));
  const done = await withGrid(options, terminal, (grid) => runGrid(rows.flatMap(({ experiments }) => experiments), grid));
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
  const evaluations = sweep.evaluate.map((evaluation) => ({ name: nameOf(evaluation), protocol: evaluation.protocol, labels: String(evaluation.labels), set: evaluation.set }));
  const text = formatSweep({ title, evaluations, rows: results }, options.format, aligned);
  await printOrWrite(text, options.output, terminal);
}
