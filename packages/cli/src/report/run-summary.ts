import type { MetricsRow } from '@mimlab/train';
import { effectiveBatch, peakLr } from '@mimlab/train';
import { sizeOfShape } from '@mimlab/core';
import { formulaRatio } from '../cost/count-cost.js';
import { durationText } from '../duration.js';
import { numberText, percentText, relativeText } from './number-text.js';
import type { ReportRun } from './report-run.js';
import type { ReportedResults } from './evaluation-results.js';

/** One line of the overview: the same quantity of every run. */
export interface SummaryRow {
  readonly name: string;
  readonly cells: readonly SummaryCell[];
  /** Numbers stand in a column. */
  readonly numeric: boolean;
}

export interface SummaryCell {
  readonly text: string;
  /** Beside it, smaller: how far it is from the first run. */
  readonly aside: string;
}

/** Where a run stands. */
export interface Progress {
  readonly updates: number;
  /** All that the configuration asks for, as far as the log tells. */
  readonly total: number | undefined;
  readonly epochs: number;
}

/** Share of a log's end that a final loss is the mean of: single updates scatter. */
const LAST = 0.1;

/** Mean of the last tenth of the rows. */
export function lastMean(metrics: readonly MetricsRow[], read: (row: MetricsRow) => number | undefined): number | undefined {
  const rows = metrics.slice(-Math.max(1, Math.round(LAST * metrics.length))).map(read).filter((value) => value !== undefined);
  return rows.length === 0 ? undefined : rows.reduce((sum, value) => sum + value, 0) / rows.length;
}

export function median(values: readonly number[]): number | undefined {
  const ordered = [...values].sort((a, b) => a - b);
  const middle = ordered.length >> 1;
  return ordered.length % 2 === 1 ? ordered[middle] : ordered.length === 0 ? undefined : ((ordered[middle - 1] as number) + (ordered[middle] as number)) / 2;
}

export function progressOf({ metrics, checkpoints, context }: Pick<ReportRun, 'metrics' | 'checkpoints' | 'context'>): Progress {
  const last = metrics.at(-1);
  if (last === undefined) return { updates: checkpoints.at(-1)?.state.update ?? 0, total: undefined, epochs: checkpoints.at(-1)?.state.epoch ?? 0 };
  return { updates: last.step, total: Math.round((context.config.train.epochs * last.step) / last.epoch), epochs: last.epoch };
}

type Quantity = readonly [name: string, read: (run: ReportRun) => string | number | undefined, digits?: number];

const QUANTITIES: readonly Quantity[] = [
  ['Method', ({ context: { config } }) => [config.method.plugin, ...config.wrap.map(({ plugin }) => plugin)].join(' + ')],
  ['Data', ({ context: { config, objective: { image } } }) => `${config.data.dataset}, ${image.height} × ${image.width} × ${image.channels}`],
  ['Tokens', ({ context: { objective: { sampler, grid } } }) => countsText(sampler.counts(grid), grid)],
  ['Updates', (run) => updatesText(progressOf(run))],
  ['Images an update', ({ context: { config } }) => effectiveBatch(config.train)],
  ['Peak learning rate', ({ context: { config } }) => numberText(peakLr(config.train), 3)],
  ['Trained parameters', ({ context: { objective } }) => Object.values(objective.params()).reduce((sum, { shape, trainable }) => sum + (trainable ? sizeOfShape(shape) : 0), 0)],
  ['Forward cost (unwrapped: 1)', ({ context: { objective, composition } }) => formulaRatio(objective, composition), 3],
  ['Loss at the end', ({ metrics }) => lastMean(metrics, ({ loss }) => loss)],
  ['of retained tokens', ({ metrics }) => lastMean(metrics, ({ parts }) => parts['retained'])],
  ['of thrown tokens', ({ metrics }) => lastMean(metrics, ({ parts }) => parts['thrown'])],
  ['Images a second, median', ({ metrics }) => median(metrics.map(({ imagesPerSecond }) => imagesPerSecond)), 4],
  ['Largest memory, MiB', ({ metrics }) => (metrics.length === 0 ? undefined : Math.max(...metrics.map(({ memoryMiB }) => memoryMiB)))],
  ['Time of steps and waiting for data', ({ metrics }) => secondsText(metrics)],
  ['Engine', ({ environments }) => environments.at(0)?.engine?.description],
  ['Begun', ({ environments }) => environments.at(0)?.created?.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')],
];

/** Quantities of every run beside each other; numbers with their distance to the first run. Rows that no run has are left out. */
export function summaryRows(runs: readonly ReportRun[], evaluations: readonly ReadonlyMap<string, ReportedResults>[]): SummaryRow[] {
  const known = QUANTITIES.map(([name, read, digits]) => rowOf(name, runs.map(read), digits));
  const names = [...new Set(evaluations.flatMap((results) => [...results.keys()]))].sort();
  const accuracies = names.map((name): SummaryRow => ({
    name: `Accuracy, ${name}`,
    numeric: true,
    cells: evaluations.map((results) => cellOfAccuracy(results.get(name))),
  }));
  return [...known.slice(0, -2), ...accuracies, ...known.slice(-2)].filter(({ cells }) => cells.some(({ text }) => text !== '–'));
}

const cellOfAccuracy = (results: ReportedResults | undefined): SummaryCell =>
  results === undefined
    ? { text: '–', aside: '' }
    : { text: `${percentText(results.accuracy)} %`, aside: `${percentText(results.interval.low)} to ${percentText(results.interval.high)}` };

function rowOf(name: string, values: readonly (string | number | undefined)[], digits = 4): SummaryRow {
  const numeric = values.some((value) => typeof value === 'number');
  const base = values[0];
  const cells = values.map((value, run): SummaryCell => {
    if (value === undefined || typeof value === 'string') return { text: value ?? '–', aside: '' };
    return { text: numberText(value, digits), aside: run > 0 && typeof base === 'number' ? relativeText(value, base) : '' };
  });
  return { name, numeric, cells };
}

const countsText = ({ visible, retained, thrown }: { visible: number; retained: number; thrown: number }, { rows, columns }: { rows: number; columns: number }): string =>
  `${rows} × ${columns}: ${visible} visible, ${retained} retained, ${thrown} thrown`;

const updatesText = ({ updates, total, epochs }: Progress): string => `${numberText(updates)}${total === undefined ? '' : ` of ${numberText(total)}`} (${numberText(epochs, 3)} ${epochs === 1 ? 'epoch' : 'epochs'})`;

function secondsText(metrics: readonly MetricsRow[]): string | undefined {
  return metrics.length === 0 ? undefined : durationText(metrics.reduce((sum, { seconds }) => sum + seconds.data + seconds.step, 0));
}
