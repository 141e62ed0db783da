import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Launch } from './child-job.js';
import type { EvaluationPlan, Experiment } from './experiment.js';
import { planGrid, runGrid, type GridOptions } from './run-grid.js';

const knn: EvaluationPlan = { name: 'near', protocol: 'knn', labels: 'all', seed: 0, set: [] };
const experiment = (more: Partial<Experiment> = {}): Experiment => ({ id: 'row', config: 'mae/mnist-quickstart', set: [], pretrain: true, evaluations: [knn], ...more });
const plan = (...experiments: Experiment[]) => planGrid(experiments, { store: '/store', threads: 1 });

describe('the plan of a grid', () => {
  it('has every experiment with its configuration loaded', async () => {
    const planned = await plan(experiment({ set: ['train.batch=8'] }), experiment({ id: 'other', pretrain: false }));
    expect(planned.map(({ experiment: { id }, context }) => [id, context.config.train.batch])).toEqual([['row', 8], ['other', 128]]);
  });

  it('tells the mistakes of all configurations at once, each with its row', async () => {
    await expect(plan(experiment({ set: ['train.batch=0'] }), experiment(), experiment({ id: 'last', config: 'mae/nothing' }))).rejects.toThrow(/^row: [^]*train\.batch[^]*\nlast: [^]*mae\/nothing/);
  });

  it.each<[string, Partial<EvaluationPlan>, RegExp]>([
    ['a protocol', { protocol: 'kn' }, /row: near: there is no protocol 'kn'; did you mean 'knn'/],
    ['a number of labels', { labels: 'few' }, /row: near: labels: 'few' is no number of labels/],
    ['a setting', { set: ['kk=3'] }, /row: near: .*kk/],
    ['a data set', { data: 'minst' }, /row: near: --data: there is no data set 'minst'/],
  ])('tells %s of an evaluation that there is not, before anything is trained', async (_, more, message) => {
    await expect(plan(experiment({ evaluations: [{ ...knn, ...more }] }))).rejects.toThrow(message);
  });

  it('tells the mistakes of all evaluations', async () => {
    await expect(plan(experiment({ evaluations: [{ ...knn, labels: '0' }, { ...knn, name: 'far', labels: '-1' }] }))).rejects.toThrow(/row: near: [^]*\nrow: far: /);
  });
});

describe('a grid', () => {
  let store: string;
  beforeEach(() => {
    store = mkdtempSync(join(tmpdir(), 'mimlab-grid-'));
  });
  afterEach(() => {
    rmSync(store, { recursive: true });
  });

  /** Leaves what a run or an evaluation leaves. */
  const pretend =
    (started: string[], code = 0): Launch =>
    ({ title, folder, kind }) => {
      started.push(title);
      mkdirSync(folder, { recursive: true });
      if (kind === 'pretrain') writeFileSync(join(folder, 'metrics.jsonl'), `${JSON.stringify({ step: 4, loss: 0.5, seconds: { data: 1, step: 2 } })}\n`);
      else writeFileSync(join(folder, 'results.json'), '{ "accuracy": 0.75, "interval": { "low": 0.7, "high": 0.8 }, "samples": 4, "seconds": 1 }');
      return Promise.resolve({ end: Promise.resolve({ code, tail: ['why'] }), stop: () => undefined });
    };
  const options = (launch: Launch, signal = new AbortController().signal): GridOptions => ({ store, processes: 1, threads: 1, signal, report: () => undefined, launch });

  it('has the numbers of every experiment, in their order', async () => {
    const rows = await runGrid([experiment({ pretrain: false }), experiment({ id: 'trained' })], options(pretend([])));
    expect(rows?.map(({ outcome: { experiment: { id }, pretrain, evaluations } }) => [id, pretrain?.loss, evaluations['near']?.accuracy])).toEqual([['row', undefined, 0.75], ['trained', 0.5, 0.75]]);
  });

  it('does again what is missing, and nothing else', async () => {
    const [first, second]: [string[], string[]] = [[], []];
    await runGrid([experiment()], options(pretend(first)));
    await runGrid([experiment({ evaluations: [knn, { ...knn, name: 'far', labels: '1' }] })], options(pretend(second)));
    expect([first, second]).toEqual([['row: pretrain', 'row: near'], ['row: far']]);
  });

  it('keeps runs, configurations and nothing else in its store', async () => {
    await runGrid([experiment(), experiment({ pretrain: false })], options(pretend([])));
    expect(readdirSync(store).sort()).toEqual(['configs', 'runs', 'untrained']);
    const [config] = readdirSync(join(store, 'configs'));
    expect(readFileSync(join(store, 'configs', config as string), 'utf8')).toContain('plugin: mae');
  });

  it('writes nothing where a configuration is wrong', async () => {
    rmSync(store, { recursive: true });
    await expect(runGrid([experiment({ set: ['seed=no'] })], options(pretend([])))).rejects.toThrow('seed');
    expect(existsSync(store)).toBe(false);
    mkdirSync(store);
  });

  it('has no numbers where it was asked to stop', async () => {
    const controller = new AbortController();
    controller.abort();
    const started: string[] = [];
    expect(await runGrid([experiment()], options(pretend(started), controller.signal))).toBeUndefined();
    expect(started).toEqual([]);
  });

  it('names the log of a job that failed', async () => {
    await expect(runGrid([experiment()], options(pretend([], 1)))).rejects.toThrow(/logs\/mae-.*\.log: row: pretrain failed with exit code 1:\n +why/);
  });
});
