import type { MetricsRow } from '@mimlab/train';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadRunContext, type RunContext } from '../run/run-context.js';
import type { ReportedResults } from './evaluation-results.js';
import type { ReportRun } from './report-run.js';
import { lastMean, median, progressOf, summaryRows, type SummaryRow } from './run-summary.js';

const rows = (losses: readonly number[]): MetricsRow[] =>
  losses.map((loss, at) => ({ step: at + 1, epoch: (at + 1) / 4, loss, parts: { retained: loss }, imagesPerSecond: 10 * (at + 1), memoryMiB: 100 - at, seconds: { data: 1, step: 2 } }) as unknown as MetricsRow);

it('the loss at the end is the mean of the last tenth of the log', () => {
  expect(lastMean(rows([...Array<number>(18).fill(9), 2, 4]), ({ loss }) => loss)).toBe(3);
  expect(lastMean(rows([9, 5]), ({ loss }) => loss)).toBe(5);
});

it('a part that was not logged has no mean', () => {
  expect(lastMean(rows([9, 5]), ({ parts }) => parts['thrown'])).toBeUndefined();
});

it('the median stands in the middle', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, undefined]);
});

describe('how far a run is', () => {
  const context = { config: { train: { epochs: 8 } } } as unknown as ReportRun['context'];

  it('says how many updates it should have where it was stopped', () => {
    expect(progressOf({ metrics: rows([1, 1]), checkpoints: [], context })).toEqual({ updates: 2, total: 32, epochs: 0.5 });
  });

  it('is read off the newest checkpoint where there is no log', () => {
    const checkpoints = [2, 4].map((update) => ({ state: { update, epoch: update / 2 } })) as unknown as ReportRun['checkpoints'];
    expect(progressOf({ metrics: [], checkpoints, context })).toEqual({ updates: 4, total: undefined, epochs: 2 });
    expect(progressOf({ metrics: [], checkpoints: [], context })).toEqual({ updates: 0, total: undefined, epochs: 0 });
  });
});

describe('the overview of runs', () => {
  let wrapped: RunContext;
  let full: RunContext;
  beforeAll(async () => {
    [wrapped, full] = (await Promise.all([[], ['wrap=[]', 'train.batch=64']].map((set) => loadRunContext('mae/mnist-quickstart', set)))) as [RunContext, RunContext];
  });
  const run = (context: RunContext, more: Partial<ReportRun> = {}): ReportRun => ({ letter: 'A', name: 'run', folder: '/run', configText: '', context, metrics: rows([4, 2]), environments: [], checkpoints: [], ...more });
  const results = (accuracy: number): ReportedResults => ({ protocol: 'knn', accuracy, interval: { low: accuracy - 0.1, high: accuracy + 0.1 }, samples: 4, correct: 2, labelled: 4, perClass: [], confusion: [] });
  const none = new Map<string, ReportedResults>();
  const texts = (found: readonly SummaryRow[]): Record<string, string[]> => Object.fromEntries(found.map(({ name, cells }) => [name, cells.map(({ text }) => text)]));

  it('says what was trained on what', () => {
    const found = texts(summaryRows([run(wrapped), run(full)], [none, none]));
    expect(found).toMatchObject({
      Method: ['mae + pr-mim', 'mae'],
      Data: ['mnist, 28 × 28 × 1', 'mnist, 28 × 28 × 1'],
      Tokens: ['7 × 7: 12 visible, 13 retained, 24 thrown', '7 × 7: 12 visible, 37 retained, 0 thrown'],
      'Images an update': ['128', '64'],
    });
    expect(found['Forward cost (unwrapped: 1)']?.[1]).toBe('1');
  });

  it('says how it went, with the time of all rows', () => {
    expect(texts(summaryRows([run(wrapped)], [none]))).toMatchObject({ 'Loss at the end': ['2'], 'of retained tokens': ['2'], 'Images a second, median': ['15'], 'Largest memory, MiB': ['100'], 'Time of steps and waiting for data': ['6 s'] });
  });

  it('counts updates and epochs', () => {
    const one = { ...wrapped, config: { ...wrapped.config, train: { ...wrapped.config.train, epochs: 2 } } } as RunContext;
    expect(texts(summaryRows([run(one, { metrics: rows([1, 1, 1, 1]) }), run(one, { metrics: rows([1, 1]) })], [none, none]))['Updates']).toEqual(['4 of 8 (1 epoch)', '2 of 8 (0.500 epochs)']);
  });

  it('puts numbers beside those of the first run, words and the first run itself beside nothing', () => {
    const found = summaryRows([run(full), run(full, { metrics: rows([4, 3]) })], [none, none]);
    const asides = (name: string): string[] | undefined => found.find((row) => row.name === name)?.cells.map(({ aside }) => aside);
    expect([asides('Loss at the end'), asides('Method')]).toEqual([['', '+50 %'], ['', '']]);
    expect(found.filter(({ numeric }) => numeric).map(({ name }) => name)).not.toContain('Method');
  });

  it('leaves out what no run has, and has a dash where one lacks it', () => {
    const thrown = rows([1]).map((row) => ({ ...row, parts: { retained: 1, thrown: 2 } }));
    expect(texts(summaryRows([run(full)], [none]))).not.toHaveProperty('of thrown tokens');
    expect(texts(summaryRows([run(full), run(wrapped, { metrics: thrown })], [none, none]))['of thrown tokens']).toEqual(['–', '2']);
  });

  it('has the accuracy of every evaluation with its interval, before engine and date', () => {
    const found = summaryRows([run(full, { environments: [{ created: '2030-01-02T03:04:05.678Z' }] }), run(full)], [new Map([['linear', results(0.5)], ['knn', results(0.75)]]), none]);
    const names = found.map(({ name }) => name);
    expect(names.slice(-3)).toEqual(['Accuracy, knn', 'Accuracy, linear', 'Begun']);
    expect(found.find(({ name }) => name === 'Accuracy, knn')?.cells).toEqual([{ text: '75.0 %', aside: '65.0 to 85.0' }, { text: '–', aside: '' }]);
    expect(found.at(-1)?.cells[0]?.text).toBe('2030-01-02 03:04:05 UTC');
  });

  it('takes an environment that recorded nothing for none', () => {
    expect(Object.keys(texts(summaryRows([run(full, { environments: [{}] })], [none])))).not.toContain('Engine');
  });

  it('can be made of a run that has checkpoints and no log', () => {
    const checkpoints = [{ state: { update: 4, epoch: 2 } }] as unknown as ReportRun['checkpoints'];
    const found = texts(summaryRows([run(full, { metrics: [], checkpoints })], [none]));
    expect(found['Updates']).toEqual(['4 (2 epochs)']);
    expect(found).not.toHaveProperty('Loss at the end');
  });
});
