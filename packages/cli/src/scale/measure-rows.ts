import { join } from 'node:path';
import { ConfigError } from '@mimlab/core';
import { findTensorflow } from '@mimlab/engine';
import { measureCost, type StepCost } from '../grid/measure-costs.js';
import { runGrid, type GridOptions, type GridRow } from '../grid/run-grid.js';
import { runName } from '../grid/plan-jobs.js';
import { spreadOf } from '../grid/spread.js';
import type { Experiment } from '../grid/experiment.js';
import { loadRunContext } from '../run/run-context.js';
import { missingData } from '../table/missing-data.js';
import { shortId, type PaperRow, type PaperTable } from '../table/paper-tables.js';
import { loadRow, rowPreset } from '../table/row-preset.js';
import type { Measured, MeasuredFigure } from '../table/table-model.js';
import type { Scale } from './scale-file.js';
import { scaleRow } from './scale-row.js';

export interface MeasureOptions extends GridOptions {
  readonly scale: Scale;
  /** Every row is run with each of 0 .. seeds - 1. */
  readonly seeds: number;
  /** `KEY=VALUE` over every configuration: the path of the data, say. */
  readonly set: readonly string[];
  /** Measure time and memory of a step as well. */
  readonly cost: boolean;
  readonly notice: (message: string) => void;
}

/** The row of the full method that a row's cost stands against: the first one of its framework and architecture that throws nothing. */
export const referenceRow = (row: PaperRow, { rows }: PaperTable): PaperRow | undefined =>
  rows.find(({ framework, arch, components }) => framework === row.framework && arch === row.arch && components.sampler === 'none');

/** A row's experiments, one a seed, and what they need. */
export async function rowExperiments(row: PaperRow, { scale, seeds, set, store }: Pick<MeasureOptions, 'scale' | 'seeds' | 'set' | 'store'>): Promise<Experiment[][]> {
  const preset = rowPreset(row.id);
  const { config } = await loadRow(row);
  const folderOf = async (teacher: Experiment): Promise<string> => join(store, 'runs', runName((await loadRunContext(teacher.config, teacher.set)).config));
  return Promise.all(Array.from({ length: seeds }, (_, seed) => scaleRow(row, { preset, wrap: config.wrap }, scale, seed, set, folderOf)));
}

/**
 * Trains and evaluates what is missing of the rows and reads what is there.
 * @returns figures by id of the row; undefined if the signal asked to stop
 * @throws ConfigError if the table needs data that no scale has, or if the seed is set as well
 */
export async function measureRows(table: PaperTable, rows: readonly PaperRow[], options: MeasureOptions): Promise<ReadonlyMap<string, Measured> | undefined> {
  const missing = missingData(table);
  if (missing.length > 0) throw new ConfigError(`${shortId(table)} cannot be measured at a scale: it is about what encoders do on other data`, { place: '--scale', remedy: `${missing.join('\n  ')}\n  Without --scale the published and analytic columns are printed.` });
  const seed = options.set.find((setting) => /^\s*seed\s*=/.test(setting));
  if (seed !== undefined) throw new ConfigError(`'${seed}' would make all seeds one`, { place: '--set', remedy: `Leave it out: rows are run with the seeds 0 to N - 1 of '--seeds N'.` });
  const planned = await Promise.all(rows.map(async (row) => ({ row, bySeed: await rowExperiments(row, options) })));
  const done = await runGrid(planned.flatMap(({ bySeed }) => bySeed.flat()), options);
  if (done === undefined) return undefined;
  const cost = options.cost && canMeasure(options.notice);
  const measured = new Map<string, Measured>();
  for (const { row, bySeed } of planned) {
    // The run that a row learns from stands before it.
    const own = bySeed.map((experiments) => done.splice(0, experiments.length).at(-1) as GridRow);
    measured.set(row.id, { ...accuracies(own), ...(cost ? await costs(row, table, own[0] as GridRow, options) : {}) });
  }
  return measured;
}

function canMeasure(notice: (message: string) => void): boolean {
  const can = findTensorflow() !== undefined;
  if (!can) notice('time and memory of steps are left out: they are measured on the graph engine, which needs libtensorflow (npm run setup)');
  return can;
}

/** The first evaluation is top-1, the others follow under their names; percent. */
function accuracies(rows: readonly GridRow[]): Measured {
  const names = rows[0]?.outcome.experiment.evaluations.map(({ name }) => name) ?? [];
  const figures = names.flatMap((name): [string, MeasuredFigure][] => {
    const figure = spreadOf(rows.flatMap(({ outcome }) => outcome.evaluations[name]?.accuracy ?? []).map((share) => 100 * share));
    return figure === undefined ? [] : [[name, figure]];
  });
  const [first, ...others] = figures;
  return { ...(first === undefined ? {} : { top1: first[1] }), ...(others.length === 0 ? {} : { others: Object.fromEntries(others.map(([name, figure]) => [`${name}, %`, figure])) }) };
}

async function costs(row: PaperRow, table: PaperTable, own: GridRow, options: MeasureOptions): Promise<Measured> {
  const reference = referenceRow(row, table);
  const folder = join(options.store, 'costs');
  const measuredFields = (cost: StepCost): Measured => ({ stepSeconds: cost.seconds, stepPeakBytes: cost.peakBytes });
  if (reference === undefined || reference.id === row.id) {
    const cost = await measureCost(own.context, own.context, folder);
    return { ...measuredFields(cost), ...(reference === undefined ? {} : { timeRatio: 1, memoryRatio: 1 }) };
  }
  const full = (await rowExperiments(reference, { ...options, seeds: 1 }))[0]?.at(-1) as Experiment;
  const cost = await measureCost(own.context, await loadRunContext(full.config, full.set), folder);
  return { ...measuredFields(cost), timeRatio: cost.timeRatio.median, memoryRatio: cost.peakRatio };
}
