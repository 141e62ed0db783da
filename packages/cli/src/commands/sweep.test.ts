import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Interrupted } from '../failure.js';
import type { Experiment } from '../grid/experiment.js';
import { measureCost, type StepCost } from '../grid/measure-costs.js';
import { runGrid, type GridRow } from '../grid/run-grid.js';
import type { RunContext } from '../run/run-context.js';
import { tinyRun } from '../run/tiny-run.test-support.js';
import type { SweepResults } from '../sweep/sweep-results.js';
import { recordedTerminal } from '../terminal.test-support.js';
import { sweepCommand, type SweepCommandOptions } from './sweep.js';

vi.mock('../grid/run-grid.js', () => ({ runGrid: vi.fn() }));
vi.mock('../grid/measure-costs.js', () => ({ measureCost: vi.fn() }));

const folder = mkdtempSync(join(tmpdir(), 'mimlab-sweep-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
let context: RunContext;
beforeAll(async () => {
  context = await tinyRun('digits');
});

const COST: StepCost = { seconds: 1, timeRatio: { median: 0.5, low: 0.4, high: 0.6 }, peakBytes: 1e6, peakRatio: 0.7 };
let asked: readonly Experiment[] = [];
beforeEach(() => {
  vi.mocked(measureCost).mockReset().mockResolvedValue(COST);
  asked = [];
  // Accuracies count up in the order of the experiments.
  vi.mocked(runGrid).mockReset().mockImplementation((experiments) => {
    asked = experiments;
    return Promise.resolve(
      experiments.map((experiment, i): GridRow => ({
        context: { ...context, config: { ...context.config, seed: i } },
        outcome: {
          experiment,
          ...(experiment.pretrain ? { pretrain: { folder: '', updates: 3, loss: 0.5, seconds: 2 } } : {}),
          evaluations: { knn: { accuracy: i / 10, interval: { low: 0, high: 1 }, samples: 10, seconds: 1, folder: '' } },
        },
      })),
    );
  });
});

async function sweep(text: string, options: Partial<SweepCommandOptions> = {}) {
  const path = join(folder, 'größen.yaml');
  writeFileSync(path, `sweep:\n  base: mae/mnist-quickstart\n  evaluate: [{ protocol: knn, labels: 10 }]\n${text}`);
  const terminal = recordedTerminal();
  await sweepCommand(path, { store: join(folder, 'store'), processes: 1, format: 'json', set: [], ...options }, terminal);
  return { terminal, results: JSON.parse(terminal.lines.join('\n').replace(/^(?!{).*$/, '{}')) as SweepResults };
}

describe('mimlab sweep', () => {
  it('gives each row the results of its own seeds', async () => {
    const { results } = await sweep('  seeds: [0, 1]\n  grid: { train.batch: [4, 8] }\n');
    expect(results.rows.map(({ label, evaluations }) => [label, evaluations['knn']?.each])).toEqual([
      ['train.batch 4', [0, 0.1]],
      ['train.batch 8', [0.2, 0.3]],
    ]);
  });

  it('is called as its title, or as its file', async () => {
    expect((await sweep('  title: Größen\n')).results.title).toBe('Größen');
    expect((await sweep('')).results).toMatchObject({ title: 'größen.yaml', evaluations: [{ name: 'knn', protocol: 'knn', labels: '10' }] });
  });

  it('lays settings of the command line over all others', async () => {
    await sweep('  grid: { train.batch: [4, 8] }\n', { set: ['train.batch=2'] });
    expect(asked.map(({ set }) => set.slice(-1))).toEqual([['train.batch=2'], ['train.batch=2']]);
  });

  it('measures costs beside the first row that was trained, where they are asked for', async () => {
    const text = '  variants: { scratch: { pretrain: false }, full: {}, pr: {} }\n';
    const { results } = await sweep(`${text}  cost: true\n`);
    expect(results.rows.map(({ cost }) => cost?.peakRatio)).toEqual([undefined, 0.7, 0.7]);
    expect(vi.mocked(measureCost).mock.calls.map(([one, reference, place]) => [one.config.seed, reference.config.seed, place])).toEqual([
      [1, 1, join(folder, 'store', 'costs')],
      [2, 1, join(folder, 'store', 'costs')],
    ]);
    vi.mocked(measureCost).mockClear();
    await sweep(text);
    expect(vi.mocked(measureCost)).not.toHaveBeenCalled();
  });

  it('writes its results into a file and says which', async () => {
    const output = join(folder, 'results', 'sweep.md');
    const { terminal } = await sweep('', { format: 'markdown', output });
    expect(terminal.lines).toEqual([output]);
    expect(readFileSync(output, 'utf8')).toMatch(/^\| row \| knn, % \|/m);
  });

  it('refuses one seed for all, before anything runs', async () => {
    await expect(sweep('  seeds: [0, 1]\n', { set: ['seed=5'] })).rejects.toThrow(/--set: 'seed=5' would make all seeds one\n.*'seeds' of the file/);
    expect(vi.mocked(runGrid)).not.toHaveBeenCalled();
  });

  it('that was stopped writes nothing', async () => {
    vi.mocked(runGrid).mockResolvedValue(undefined);
    const output = join(folder, 'stopped.md');
    await expect(sweep('', { output })).rejects.toThrow(Interrupted);
    expect(existsSync(output)).toBe(false);
  });
});
