import type { PaperRow } from './paper-tables.js';
import { methodWords } from './row-words.js';
import type { Column } from './table-model.js';

/** A column of the paper that says what a row is. */
interface SettingColumn {
  readonly head: string;
  /** The row's own setting; undefined where it has none. */
  value(row: PaperRow): string | undefined;
  /** Under which names the paper's facts call it lost or inferred. */
  readonly facts: readonly string[];
}

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');

/** Columns that tables of the paper have for settings, by their name there. */
export const SETTINGS: Readonly<Record<string, SettingColumn>> = {
  method: { head: 'method', value: methodWords, facts: ['framework'] },
  target: { head: 'target', value: ({ target }) => target, facts: ['target'] },
  arch: { head: 'architecture', value: ({ arch }) => arch, facts: ['arch'] },
  epochs: { head: 'epochs', value: ({ epochs }) => String(epochs), facts: ['epochs'] },
  throw: { head: 'throw, %', value: (row) => String(row.throw), facts: ['throw'] },
  progressive: { head: 'progressive', value: ({ components }) => yesNo(components.progressive), facts: ['progressive'] },
  furthest: { head: 'furthest', value: ({ components }) => yesNo(components.sampler === 'furthest'), facts: ['sampler'] },
  kernel: { head: 'kernel', value: ({ components }) => (components.kernel === undefined ? undefined : String(components.kernel)), facts: ['kernel'] },
  design: { head: 'design', value: ({ components }) => components.aggregator, facts: ['aggregator'] },
};

/** A column of the paper that says how a row did. */
interface MetricColumn {
  readonly head: string;
  /** Key of the printed number. */
  readonly reported: string;
  /** Key of the ratio to the full method that the running text may give. */
  readonly ratio?: string;
  /** Key of a difference that is printed beside it. */
  readonly difference?: string;
}

/** Columns that tables of the paper have for results, by their name there. */
export const METRICS: Readonly<Record<string, MetricColumn>> = {
  top1: { head: 'top-1, %', reported: 'top1', difference: 'delta' },
  flops: { head: 'GFLOPs', reported: 'gflops', ratio: 'flopsRatio' },
  memory: { head: 'memory', reported: 'memory', ratio: 'memoryRatio' },
  time: { head: 'time', reported: 'time', ratio: 'timeRatio' },
  'IN-C': { head: 'IN-C error, %', reported: 'inC' },
  'IN-A': { head: 'IN-A, %', reported: 'inA' },
  'IN-R': { head: 'IN-R, %', reported: 'inR' },
  'IN-S': { head: 'IN-S, %', reported: 'inS' },
  iNat18: { head: 'iNat18, %', reported: 'iNat18' },
  iNat19: { head: 'iNat19, %', reported: 'iNat19' },
  mIoU: { head: 'mIoU, %', reported: 'mIoU' },
  mAcc: { head: 'mAcc, %', reported: 'mAcc' },
  APb: { head: 'AP box', reported: 'APb' },
  APm: { head: 'AP mask', reported: 'APm' },
};

/** Analytic figures in the order of columns; a figure that no row has gets none. */
export const ANALYTIC: readonly Omit<Column, 'group'>[] = [
  { key: 'moduleGmacs', head: 'module GMACs' },
  { key: 'gmacs', head: 'GMACs' },
  { key: 'flopsRatio', head: 'GMACs, of full' },
  { key: 'gmacsWithTeacher', head: 'with teacher' },
  { key: 'flopsRatioWithTeacher', head: 'with teacher, of full' },
  { key: 'memoryGB', head: 'memory, GB' },
  { key: 'memRatioModel', head: 'memory, of full' },
];

/** Measured figures in the order of columns; further ones follow under their own heads. */
export const MEASURED: readonly Omit<Column, 'group'>[] = [
  { key: 'top1', head: 'top-1, %' },
  { key: 'stepSeconds', head: 'step, s' },
  { key: 'timeRatio', head: 'time, of full' },
  { key: 'stepPeakBytes', head: 'step peak, MB' },
  { key: 'memoryRatio', head: 'peak, of full' },
];
