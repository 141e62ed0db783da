import { describe, expect, it } from 'vitest';
import type { Analytic } from './analytic.js';
import { cellText, tableCells, tableHeads } from './table-cells.js';
import type { Column, Measured, PublishedValue, Setting, TableRow } from './table-model.js';

const row = (more: Partial<TableRow> = {}): TableRow => ({ id: 't2-01', label: '', preset: '', settings: {}, published: {}, analytic: { gmacs: 1, flopsRatio: 1 }, ...more });
const column = (group: Column['group'], key: string): Column => ({ group, key, head: key });

describe('a setting', () => {
  const text = (setting?: Setting): string => cellText(row(setting === undefined ? {} : { settings: { throw: setting } }), column('setting', 'throw'));

  it.each<[string, Setting | undefined]>([
    ['50', { value: '50', inferred: false, lost: false }],
    ['50*', { value: '50', inferred: true, lost: false }],
    ['n/a (50)', { value: '50', inferred: false, lost: true }],
    ['n/a (50*)', { value: '50', inferred: true, lost: true }],
    ['-', undefined],
  ])('reads %s', (expected, setting) => {
    expect(text(setting)).toBe(expected);
  });
});

describe('a published cell', () => {
  const text = (key: string, published: Readonly<Record<string, PublishedValue>>): string => cellText(row({ published }), column('published', key));

  it('has one decimal, GFLOPs two', () => {
    expect([text('top1', { top1: 81 }), text('flops', { gflops: 0.6 }), text('mIoU', { mIoU: 48.25 })]).toEqual(['81.0', '0.60', '48.3']);
  });

  it('has the difference beside it, with its sign', () => {
    expect([-0.3, 0, 0.1].map((delta) => text('top1', { top1: 81.4, delta }))).toEqual(['81.4 (-0.3)', '81.4 (0.0)', '81.4 (+0.1)']);
  });

  it('has the ratio to the full method beside it, a lost number as well', () => {
    expect([text('memory', { memory: 'n/a', memoryRatio: 0.64 }), text('flops', { gflops: 7, flopsRatio: 0.7 })]).toEqual(['n/a (0.64x)', '7.00 (0.70x)']);
  });

  it('has the mark of the paper at top-1 alone', () => {
    const published = { top1: 83, gflops: 7, mark: 'dagger' };
    expect([text('top1', published), text('flops', published)]).toEqual(['83.0†', '7.00']);
  });

  it('is a word where training failed, and a dash where the paper has none', () => {
    expect([text('top1', { top1: 'fail' }), text('top1', {}), text('unheard', { unheard: 1 })]).toEqual(['fail', '-', '-']);
  });
});

describe('an analytic cell', () => {
  const text = (key: keyof Analytic, value?: number): string => cellText(row({ analytic: { gmacs: 1, flopsRatio: 1, ...(value === undefined ? {} : { [key]: value }) } }), column('analytic', key));

  it('has three decimals, gigabytes two, modules four', () => {
    expect([text('gmacs', 9.78111), text('memoryGB', 12.345), text('moduleGmacs', 0.00123)]).toEqual(['9.781', '12.35', '0.0012']);
  });

  it('is a dash where there is no such figure', () => {
    expect(text('memoryGB')).toBe('-');
  });
});

describe('a measured cell', () => {
  const text = (key: string, measured?: Measured): string => cellText(row(measured === undefined ? {} : { measured }), column('measured', key));

  it('has its spread and the number of seeds, where there are several', () => {
    expect([text('top1', { top1: { mean: 61.239, seeds: 1 } }), text('top1', { top1: { mean: 61, spread: 0.456, seeds: 3 } })]).toEqual(['61.24', '61.00 ± 0.46 (3)']);
  });

  it('has seconds with three digits, megabytes with one decimal and ratios with three', () => {
    const measured = { stepSeconds: 0.012345, timeRatio: 0.75, stepPeakBytes: 1_250_000_000, memoryRatio: 2 / 3 };
    expect(['stepSeconds', 'timeRatio', 'stepPeakBytes', 'memoryRatio'].map((key) => text(key, measured))).toEqual(['0.0123', '0.750', '1250.0', '0.667']);
  });

  it('is a dash where that was not measured', () => {
    for (const key of ['top1', 'stepSeconds', 'timeRatio', 'stepPeakBytes', 'memoryRatio', 'others.knn, %']) expect([text(key), text(key, {})], key).toEqual(['-', '-']);
  });

  it('takes no other evaluation for top-1', () => {
    const measured = { others: { top1: { mean: 1, seeds: 1 } } };
    expect([text('top1', measured), text('others.top1', measured)]).toEqual(['-', '1.00']);
  });
});

it('a table has its ids first, and a head for each of its columns', () => {
  const table = { id: 't2', title: '', notes: [], columns: [column('analytic', 'gmacs'), column('published', 'top1')], rows: [row(), row({ id: 't2-02', published: { top1: 80 } })] };
  expect(tableHeads(table)).toEqual(['row', 'gmacs', 'top1']);
  expect(tableCells(table)).toEqual([['t2-01', '1.000', '-'], ['t2-02', '1.000', '80.0']]);
});
