import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Launch } from '../grid/child-job.js';
import { findTable } from '../table/paper-tables.js';
import { selectRows } from '../table/select-rows.js';
import { measureRows, type MeasureOptions } from './measure-rows.js';
import { loadScale, type SmallScale } from './scale-file.js';

const cifar = loadScale('cifar10', false) as SmallScale;

describe('measured rows', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mimlab-measure-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });
  const store = (): string => join(root, 'store');

  /** Jobs that only leave their results: an accuracy by the title of the job. */
  const pretend =
    (accuracyOf: (title: string) => number, started: string[] = []): Launch =>
    ({ title, folder, kind }) => {
      started.push(title);
      mkdirSync(folder, { recursive: true });
      const accuracy = accuracyOf(title);
      if (kind === 'pretrain') writeFileSync(join(folder, 'metrics.jsonl'), `${JSON.stringify({ step: 1, loss: 1, seconds: { data: 0, step: 1 } })}\n`);
      else writeFileSync(join(folder, 'results.json'), JSON.stringify({ accuracy, interval: { low: accuracy, high: accuracy }, samples: 1, seconds: 1 }));
      return Promise.resolve({ end: Promise.resolve({ code: 0, tail: [] }), stop: () => undefined });
    };
  const options = (more: Partial<MeasureOptions> = {}): MeasureOptions => ({
    scale: cifar,
    seeds: 1,
    set: [],
    cost: false,
    notice: () => undefined,
    store: store(),
    processes: 1,
    threads: 1,
    signal: new AbortController().signal,
    report: () => undefined,
    launch: pretend(() => 0.5),
    ...more,
  });
  const measure = (table: string, rows: string, more: Partial<MeasureOptions> = {}) => measureRows(findTable(table), selectRows(findTable(table), rows), options(more));

  it('have the first evaluation as top-1 and the others under their names, in percent', async () => {
    const measured = await measure('t2', '1', { launch: pretend((title) => (title.endsWith('linear') ? 0.25 : 0.5)) });
    expect([...(measured ?? [])]).toEqual([['t2-01', { top1: { mean: 50, seeds: 1 }, others: { 'linear, %': { mean: 25, seeds: 1 } } }]]);
  });

  it('have mean and spread over their own seeds', async () => {
    const launch = pretend((title) => (title.includes('t2-09') ? 0.75 : title.includes('seed 0') ? 0.5 : 0.25));
    const measured = await measure('t2', '1,9', { seeds: 2, launch });
    expect(measured?.get('t2-01')?.top1).toMatchObject({ mean: 37.5, seeds: 2 });
    expect(measured?.get('t2-01')?.top1?.spread).toBeCloseTo(17.68, 2);
    expect(measured?.get('t2-09')?.top1).toMatchObject({ mean: 75, spread: 0, seeds: 2 });
  });

  it('are those of the row itself, not of the run that it learns from', async () => {
    const started: string[] = [];
    const measured = await measure('t4', '12..13', { launch: pretend((title) => (title.startsWith('t4-12') ? 0.25 : 0.5), started) });
    expect(started.slice(0, 2)).toEqual(['teacher of t4-12 seed 0: pretrain', 't4-12 seed 0: pretrain']);
    // Both learn from one and the same run.
    expect(started.filter((title) => title.startsWith('teacher'))).toHaveLength(1);
    expect([...(measured ?? [])].map(([id, { top1 }]) => [id, top1?.mean])).toEqual([['t4-12', 25], ['t4-13', 50]]);
  });

  it('have no time and memory unless they are asked for', async () => {
    expect((await measure('t2', '9'))?.get('t2-09')).not.toHaveProperty('stepSeconds');
    expect(existsSync(join(store(), 'costs'))).toBe(false);
  });

  it('are undefined where a signal asked to stop', async () => {
    const controller = new AbortController();
    controller.abort();
    expect(await measure('t2', '1', { signal: controller.signal })).toBeUndefined();
  });

  it.each(['seed=1', ' seed = 1'])('are refused with %j over all seeds, before anything is written', async (set) => {
    await expect(measure('t2', '1', { set: ['train.batch=8', set], seeds: 3 })).rejects.toThrow(/--set: '.*' would make all seeds one\n.*--seeds N/);
    expect(existsSync(store())).toBe(false);
  });

  it('are refused for a table of data that no scale has, with what it would need', async () => {
    await expect(measure('t8', '1')).rejects.toThrow(/--scale: t8 cannot be measured at a scale[^]*iNaturalist[^]*Without --scale/);
  });

  it('tell what is wrong with the evaluations of a scale before anything is trained', async () => {
    const started: string[] = [];
    const scale: SmallScale = { ...cifar, evaluate: [{ protocol: 'knn', labels: 'few', set: { k: 0 } }] };
    await expect(measure('t2', '1', { scale, launch: pretend(() => 0, started) })).rejects.toThrow(/^t2-01 seed 0: knn: labels: 'few'/);
    expect(started).toEqual([]);
  });
});

describe('the scales that ship', () => {
  it.each(['cifar10', 'mnist', 'mnist-quick'])('%s asks evaluations that there are', async (name) => {
    const stopped = new AbortController();
    stopped.abort();
    const table = findTable('t2');
    const store = mkdtempSync(join(tmpdir(), 'mimlab-scales-'));
    const options = { scale: loadScale(name, false), seeds: 1, set: [], cost: false, notice: () => undefined, store, processes: 1, threads: 1, signal: stopped.signal, report: () => undefined };
    expect(await measureRows(table, table.rows.slice(0, 2), options)).toBeUndefined();
    rmSync(store, { recursive: true });
  });
});
