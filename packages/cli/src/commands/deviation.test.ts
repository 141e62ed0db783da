import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { type DeviationRow } from '../deviation/deviation-file.js';
import { measureRun, type MeasureRunOptions } from '../deviation/measure-run.js';
import { tinyRun } from '../run/tiny-run.test-support.js';
import { recordedTerminal } from '../terminal.test-support.js';
import { deviationCommand, type DeviationCommandOptions } from './deviation.js';

vi.mock('../deviation/measure-run.js', () => ({ measureRun: vi.fn() }));

const folder = mkdtempSync(join(tmpdir(), 'mimlab-deviation-'));
const output = join(folder, 'tief', 'out');
afterAll(() => {
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  rmSync(output, { recursive: true, force: true });
  vi.mocked(measureRun).mockReset();
});

const measured = { mean: 0.5, deviation: 0.1 };
const groups = { encoder: { cosine: measured, relativeError: measured, scaleFreeError: measured, bias: measured, spread: measured } };
const row = (run: string): DeviationRow => ({ method: 'partial', throw: 0.5, sampler: 'random', weights: 'own', run, counts: { visible: 4, retained: 4, thrown: 8 }, groups, floor: groups });

/** A folder with nothing but the configuration of a run. */
async function runOf(name: string, batch: number): Promise<string> {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'config.yaml'), (await tinyRun('digits', `train.batch=${batch}`)).loaded.format());
  return path;
}

const OPTIONS: DeviationCommandOptions = { methods: 'partial:random', throw: '0.5', set: [], batches: 2, plans: 3, fit: 5, seed: 7, output };
async function measure(runs: readonly string[], options: Partial<DeviationCommandOptions> = {}) {
  const terminal = recordedTerminal();
  const asked: MeasureRunOptions[] = [];
  vi.mocked(measureRun).mockImplementation((run, given) => {
    if (run === 'broken') return Promise.reject(new Error('no checkpoint'));
    asked.push(given);
    given.report(`measuring ${basename(run)}`);
    return Promise.resolve({ rows: [row(basename(run))], engine: 'eager' });
  });
  await deviationCommand(runs, { ...OPTIONS, ...options }, terminal);
  return { terminal, asked };
}
const rowsWritten = (): string[] => (JSON.parse(readFileSync(join(output, 'deviation.json'), 'utf8')) as { rows: DeviationRow[] }).rows.map(({ run }) => run);

describe('mimlab deviation', () => {
  it('writes rows of all runs with the settings behind them, prints the table and names the files', async () => {
    const { terminal } = await measure(['a', 'b'], { batch: 4 });
    expect(rowsWritten()).toEqual(['a', 'b']);
    expect(JSON.parse(readFileSync(join(output, 'deviation.json'), 'utf8'))).toMatchObject({ settings: { batches: 2, batch: 4, plans: 3, seed: 7 }, engine: 'eager' });
    expect(readFileSync(join(output, 'deviation.md'), 'utf8')).toBe(`# Gradient deviation\n\n${terminal.lines.join('\n')}\n`);
    expect(terminal.notes.slice(0, 2)).toEqual(['measuring a', 'measuring b']);
    expect(readdirSync(output).sort()).toEqual(terminal.notes.slice(2).map((path) => basename(path)).sort());
  });

  it('keeps what was measured when a later run fails', async () => {
    await expect(measure(['a', 'broken'], { batch: 4 })).rejects.toThrow('no checkpoint');
    expect(rowsWritten()).toEqual(['a']);
  });

  it('writes nothing when the first one fails', async () => {
    await expect(measure(['broken'], { batch: 4 })).rejects.toThrow('no checkpoint');
    expect(existsSync(output)).toBe(false);
  });

  it('measures with the batch that the runs were trained with', async () => {
    const { asked } = await measure([await runOf('four', 4), await runOf('also-four', 4)]);
    expect(asked.map(({ batch }) => batch)).toEqual([4, 4]);
  });

  it('asks for one batch where runs were trained with different ones', async () => {
    const runs = [await runOf('four', 4), await runOf('six', 6)];
    await expect(measure(runs)).rejects.toThrow(/four, .*six: the runs were trained with different batches \(4, 6 images\)\n.*'--batch'/);
    expect((await measure(runs, { batch: 8 })).asked.map(({ batch }) => batch)).toEqual([8, 8]);
  });

  it('refuses methods and ratios before anything is measured', async () => {
    await expect(measure(['a'], { batch: 4, methods: 'partial' })).rejects.toThrow(/--methods/);
    await expect(measure(['a'], { batch: 4, throw: 'half' })).rejects.toThrow(/--throw/);
    expect(vi.mocked(measureRun)).not.toHaveBeenCalled();
  });

  it('leaves the choice of weights to each run unless one is made for all', async () => {
    expect((await measure(['a'], { batch: 4 })).asked[0]).not.toHaveProperty('weights');
    expect((await measure(['a'], { batch: 4, weights: 'init' })).asked[0]).toMatchObject({ weights: 'init' });
  });
});
