import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '@mimlab/engine';
import type { TrainRecord } from '@mimlab/train';
import { afterAll, describe, expect, it } from 'vitest';
import { tinyRun, writeTinyDigits } from './tiny-run.test-support.js';
import { runStatistics, trainRun, type TrainRunOptions } from './train-run.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-train-run-'));
const data = writeTinyDigits(join(folder, 'data'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function train(name: string, options: Partial<TrainRunOptions> = {}, ...set: string[]) {
  const records: TrainRecord[] = [];
  const summary = await trainRun({ context: await tinyRun(data, ...set), output: join(folder, name), resume: false, report: (record) => records.push(record), ...options });
  return { summary, records };
}

describe('a run', () => {
  it('trains every update and hands the engine over while it holds the weights', async () => {
    let names: readonly string[] = [];
    const afterwards = async (engine: Engine): Promise<void> => {
      names = Object.keys(await engine.read(['cls_token']));
    };
    const { summary, records } = await train('whole', { afterwards });
    expect(summary).toMatchObject({ outcome: 'finished', update: 3, updates: 3 });
    expect(records.filter(({ kind }) => kind === 'update')).toHaveLength(3);
    expect(names).toEqual(['cls_token']);
    expect(readdirSync(join(folder, 'whole'))).not.toContain('run.lock');
  });

  it('hands nothing over where it was stopped', async () => {
    let handed = false;
    const stopping = new AbortController();
    const { summary } = await train('stopped', {
      signal: stopping.signal,
      report: ({ kind }) => {
        if (kind === 'update') stopping.abort();
      },
      afterwards: () => {
        handed = true;
        return Promise.resolve();
      },
    });
    expect(summary).toMatchObject({ outcome: 'stopped', update: 1 });
    expect(handed).toBe(false);
  });

  it('is finished although Ctrl-C came during its last update, and gives its folder free when what follows fails', async () => {
    const stopping = new AbortController();
    const late = train('late', {
      signal: stopping.signal,
      report: (record) => {
        if (record.kind === 'update' && record.update === record.updates) stopping.abort();
      },
      afterwards: () => Promise.reject(new Error('no picture')),
    });
    await expect(late).rejects.toThrow('no picture');
    expect(readdirSync(join(folder, 'late'))).not.toContain('run.lock');
  });

  it('leaves no folder behind where its data is missing', async () => {
    await expect(train('never', {}, 'data.path=/no/such/folder')).rejects.toThrow('/no/such/folder');
    expect(existsSync(join(folder, 'never'))).toBe(false);
  });
});

describe('the statistics of a run', () => {
  it('are those of its data set, or those that the configuration names', async () => {
    expect(await runStatistics(await tinyRun(data))).toEqual({ mean: [0.1307], std: [0.3081] });
    expect(await runStatistics(await tinyRun(data, 'data.mean=[0.25]', 'data.std=[0.5]'))).toEqual({ mean: [0.25], std: [0.5] });
  });
});
