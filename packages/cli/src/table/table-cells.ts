import { METRICS } from './columns.js';
import type { Analytic } from './analytic.js';
import type { Column, Measured, MeasuredFigure, TableModel, TableRow } from './table-model.js';

/** A cell that nothing stands in: the paper has no such value, or nothing was measured. */
export const EMPTY = '-';

/** Names of the groups of columns, over their heads. */
export const GROUP_NAMES: Readonly<Record<Column['group'], string>> = { setting: '', published: 'published', analytic: 'analytic', measured: 'measured' };

const signed = (value: number): string => `${value > 0 ? '+' : ''}${value.toFixed(1)}`;
/** Decimals of analytic figures that have not three. */
const DIGITS: Readonly<Record<string, number>> = { moduleGmacs: 4, memoryGB: 2 };

/** Text of a cell, the same in every format for people. */
export function cellText(row: TableRow, { group, key }: Column): string {
  switch (group) {
    case 'setting':
      return settingText(row, key);
    case 'published':
      return publishedText(row, key);
    case 'analytic': {
      const value = row.analytic[key as keyof Analytic];
      if (value === undefined) return EMPTY;
      return value.toFixed(DIGITS[key] ?? 3);
    }
    case 'measured':
      return measuredText(row.measured, key);
  }
}

function settingText({ settings }: TableRow, key: string): string {
  const setting = settings[key];
  if (setting === undefined) return EMPTY;
  const value = `${setting.value}${setting.inferred ? '*' : ''}`;
  return setting.lost ? `n/a (${value})` : value;
}

function publishedText({ published }: TableRow, key: string): string {
  const metric = METRICS[key];
  if (metric === undefined) return EMPTY;
  const value = published[metric.reported] ?? published[key];
  const number = typeof value === 'number' ? value.toFixed(key === 'flops' ? 2 : 1) : value;
  const ratio = metric.ratio === undefined ? undefined : published[metric.ratio];
  const difference = metric.difference === undefined ? undefined : published[metric.difference];
  const beside = typeof ratio === 'number' ? ` (${ratio.toFixed(2)}x)` : typeof difference === 'number' ? ` (${signed(difference)})` : '';
  return number === undefined ? EMPTY : `${number}${key === 'top1' && published['mark'] === 'dagger' ? '†' : ''}${beside}`;
}

const figureText = ({ mean, spread, seeds }: MeasuredFigure): string => `${mean.toFixed(2)}${spread === undefined ? '' : ` ± ${spread.toFixed(2)} (${seeds})`}`;

function measuredText(measured: Measured | undefined, key: string): string {
  if (measured === undefined) return EMPTY;
  const other = key.startsWith('others.') ? measured.others?.[key.slice('others.'.length)] : undefined;
  if (other !== undefined) return figureText(other);
  if (key === 'top1') return measured.top1 === undefined ? EMPTY : figureText(measured.top1);
  const { stepSeconds, timeRatio, stepPeakBytes, memoryRatio } = measured;
  const texts: Readonly<Record<string, string | undefined>> = {
    stepSeconds: stepSeconds?.toPrecision(3),
    timeRatio: timeRatio?.toFixed(3),
    stepPeakBytes: stepPeakBytes === undefined ? undefined : (stepPeakBytes / 1e6).toFixed(1),
    memoryRatio: memoryRatio?.toFixed(3),
  };
  return texts[key] ?? EMPTY;
}

/** All cells, id first, without heads. */
export const tableCells = ({ rows, columns }: TableModel): string[][] => rows.map((row) => [row.id, ...columns.map((column) => cellText(row, column))]);

/** Heads of the same columns. */
export const tableHeads = ({ columns }: TableModel): string[] => ['row', ...columns.map(({ head }) => head)];
