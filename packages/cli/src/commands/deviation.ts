import { join } from 'node:path';
import { ConfigError } from '@mimlab/core';
import { ensureFolder, writeFileAtomically } from '@mimlab/train';
import { parseMethods, parseRatios } from '../deviation/compared-methods.js';
import { deviationTables, inOrder } from '../deviation/deviation-table.js';
import { deviationJson, type DeviationFile, type Weights } from '../deviation/deviation-file.js';
import { measureRun } from '../deviation/measure-run.js';
import { deviationFigure } from '../figures/gradient-deviation.js';
import { writeFigure } from '../figures/write-figure.js';
import { loadRunContext, storedConfig } from '../run/run-context.js';
import type { Terminal } from '../terminal.js';

export interface DeviationCommandOptions {
  readonly weights?: Weights;
  readonly methods: string;
  readonly throw: string;
  readonly set: readonly string[];
  readonly batches: number;
  readonly plans: number;
  readonly batch?: number;
  readonly fit: number;
  readonly seed: number;
  readonly output: string;
}

/** Measures the gradient deviation of runs and writes deviation.json, deviation.md and figure 4. */
export async function deviationCommand(runs: readonly string[], options: DeviationCommandOptions, terminal: Terminal): Promise<void> {
  const { weights, set, batches, plans, fit, seed, output } = options;
  const [methods, ratios] = [parseMethods(options.methods), parseRatios(options.throw)];
  const batch = options.batch ?? (await sameBatch(runs));
  let file: DeviationFile = { version: 1, settings: { batches, batch, plans, seed }, engine: '', rows: [] };
  for (const run of runs) {
    const measured = await measureRun(run, {
      ...(weights === undefined ? {} : { weights }),
      methods,
      ratios,
      batch,
      settings: set,
      batches,
      plans,
      fit,
      seed,
      report: (line) => {
        terminal.note(line);
      },
    });
    file = { ...file, engine: measured.engine, rows: inOrder([...file.rows, ...measured.rows]) };
    // After every run: measuring many takes long.
    await ensureFolder(output);
    await writeFileAtomically(join(output, 'deviation.json'), `${deviationJson(file)}\n`);
    await writeFileAtomically(join(output, 'deviation.md'), `# Gradient deviation\n\n${deviationTables(file)}\n`);
  }
  const written = await writeFigure(deviationFigure(file), 'figure-4', output);
  terminal.out(deviationTables(file));
  for (const path of [join(output, 'deviation.json'), join(output, 'deviation.md'), ...written]) terminal.note(path);
}

/** The noise of a gradient depends on how many images it is of, so all rows of a file are of one size. */
async function sameBatch(runs: readonly string[]): Promise<number> {
  const sizes = await Promise.all(runs.map(async (run) => (await loadRunContext(storedConfig(run))).config.train.batch));
  const [first, ...rest] = sizes as [number, ...number[]];
  if (rest.every((size) => size === first)) return first;
  throw new ConfigError(`the runs were trained with different batches (${sizes.join(', ')} images)`, { place: runs.join(', '), remedy: `Set one for all with '--batch'.` });
}
