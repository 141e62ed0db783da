import type { Spread } from '../grid/spread.js';
import { csvLine } from '../table/format-csv.js';
import type { SweepResult, SweepResults } from './sweep-results.js';

const percent = ({ mean, spread }: Spread): string => `${(100 * mean).toFixed(2)}${spread === undefined ? '' : ` ± ${(100 * spread).toFixed(2)}`}`;
const plain = ({ mean, spread }: Spread, digits: number): string => `${mean.toFixed(digits)}${spread === undefined ? '' : ` ± ${spread.toFixed(digits)}`}`;

interface Column {
  readonly name: string;
  /** undefined: the row has no such figure. */
  cell(row: SweepResult): string | undefined;
}

/** Heads and cells of the results; a column that no row has is left out. */
export function sweepCells({ rows, evaluations }: SweepResults): string[][] {
  const axes = [...new Set(rows.flatMap(({ axes: of }) => Object.keys(of)))];
  const columns: Column[] = [
    ...(axes.length === 0 ? [{ name: 'row', cell: ({ label }: SweepResult) => label }] : axes.map((axis) => ({ name: axis, cell: ({ axes: of }: SweepResult) => of[axis] }))),
    ...evaluations.map(({ name }) => ({
      name: `${name}, %`,
      cell: ({ evaluations: of }: SweepResult) => (of[name] === undefined ? undefined : percent(of[name])),
    })),
    { name: 'loss', cell: ({ pretrain }) => pretrain && plain(pretrain.loss, 4) },
    { name: 'pre-training, s', cell: ({ pretrain }) => pretrain && plain(pretrain.seconds, 0) },
    { name: 'forward GMACs an image', cell: ({ gmacs }) => gmacs?.toPrecision(4) },
    { name: 's a step', cell: ({ cost }) => cost?.seconds.toPrecision(3) },
    { name: 'step time over the first row', cell: ({ cost }) => cost && `${cost.timeRatio.median.toFixed(3)} (${cost.timeRatio.low.toFixed(3)}-${cost.timeRatio.high.toFixed(3)})` },
    { name: `step's own peak, MB`, cell: ({ cost }) => cost && (cost.peakBytes / 1e6).toFixed(1) },
    { name: 'over the first row', cell: ({ cost }) => cost?.peakRatio.toFixed(3) },
  ];
  const kept = columns.filter(({ cell }) => rows.some((row) => cell(row) !== undefined));
  return [kept.map(({ name }) => name), ...rows.map((row) => kept.map(({ cell }) => cell(row) ?? '-'))];
}

/** Ways to write results. */
export const SWEEP_FORMATS = ['terminal', 'markdown', 'csv', 'json'] as const;
export type SweepFormat = (typeof SWEEP_FORMATS)[number];

/** The results in a format. @param aligned pads cells to columns, for a terminal */
export function formatSweep(results: SweepResults, format: SweepFormat, aligned: (rows: readonly (readonly string[])[]) => readonly string[]): string {
  if (format === 'json') return JSON.stringify(results, null, 2);
  const cells = sweepCells(results);
  if (format === 'csv') return cells.map(csvLine).join('\n');
  if (format === 'terminal') return [results.title, ...aligned(cells)].join('\n');
  const [head = [], ...rows] = cells;
  const line = (row: readonly string[]): string => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
