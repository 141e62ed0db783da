import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PlannedExperiment } from './plan-jobs.js';
import { readOutcome } from './read-outcome.js';

describe('the numbers of an experiment', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimlab-outcome-'));
    mkdirSync(join(folder, 'knn'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const planned = (pretrain: boolean): PlannedExperiment =>
    ({ experiment: { id: 'row' }, folder, ...(pretrain ? { pretrain: {} } : {}), evaluations: [{ plan: { name: 'near' }, job: { folder: join(folder, 'knn') } }] }) as unknown as PlannedExperiment;
  const results = (text: string): void => {
    writeFileSync(join(folder, 'knn', 'results.json'), text);
  };
  const RESULTS = '{ "accuracy": 0.5, "interval": { "low": 0.4, "high": 0.6 }, "samples": 10, "seconds": 3, "perClass": [] }';
  const row = (step: number, loss: number): string => JSON.stringify({ step, loss, seconds: { data: 0.5, step: 1 } });

  it('are accuracies by name, and of pre-training the last losses and the time of all updates', async () => {
    results(RESULTS);
    writeFileSync(join(folder, 'metrics.jsonl'), `${row(1, 9)}\n${row(10, 3)}\n${row(20, 2)}\n`);
    const { pretrain, evaluations } = await readOutcome(planned(true));
    expect(evaluations).toEqual({ near: { accuracy: 0.5, interval: { low: 0.4, high: 0.6 }, samples: 10, seconds: 3, folder: join(folder, 'knn') } });
    expect(pretrain).toEqual({ folder, updates: 20, loss: 2, seconds: 4.5 });
  });

  it('have no pre-training for an encoder as it starts', async () => {
    results(RESULTS);
    expect((await readOutcome(planned(false))).pretrain).toBeUndefined();
  });

  it('are refused with the file that is damaged and the remedy', async () => {
    results('{ "accuracy": "high" }');
    await expect(readOutcome(planned(false))).rejects.toThrow(/knn\/results\.json[^]*Delete the folder/);
    results(RESULTS);
    await expect(readOutcome(planned(true))).rejects.toThrow(/metrics\.jsonl[^]*has no rows/);
  });
});
