import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFineTuningResults, readTableResults } from './figure-data.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mimlab-figure-data-'));
});
afterAll(() => rm(folder, { recursive: true }));

const written = async (content: unknown): Promise<string> => {
  const path = join(folder, 'results.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const ROW = { id: 't2-01', label: 'full', published: { top1: 81.7, memory: 'n/a' }, analytic: { gmacs: 9.78 }, measured: { top1: { mean: 61.2, seeds: 1 } } };

describe('results of a table', () => {
  it('are read from the whole table, with its scale', async () => {
    const { scale, rows } = await readTableResults(await written({ id: 't2', title: 'x', scale: 'cifar10', rows: [ROW] }));
    expect(scale).toBe('cifar10');
    expect(rows[0]).toMatchObject({ id: 't2-01', published: { top1: 81.7 }, analytic: { gmacs: 9.78 }, measured: { top1: { mean: 61.2 } } });
  });

  it('are read from rows alone', async () => {
    expect((await readTableResults(await written([ROW]))).rows).toHaveLength(1);
  });

  it('may lack measured numbers and hold words for published ones', async () => {
    const { rows } = await readTableResults(await written([{ id: 't12-01', published: { top1: 'fail' }, measured: null }]));
    expect(rows[0]?.published?.top1).toBe('fail');
  });

  it('are refused with what was expected', async () => {
    await expect(readTableResults(await written({ rows: [{ ...ROW, id: 1 }] }))).rejects.toThrow(/results\.json[\s\S]*mimlab table t2 --format json/);
    await expect(readTableResults(await written('no json'))).rejects.toThrow('is no JSON');
  });
});

describe('results of partial fine-tuning', () => {
  it('are series of blocks and accuracies', async () => {
    const rows = [{ series: 'MAE', blocks: 0.5, accuracy: { mean: 60, spread: 0.3 } }];
    expect(await readFineTuningResults(await written({ title: 'CIFAR-10', rows }))).toEqual({ title: 'CIFAR-10', rows });
  });

  it('name the row and key that is wrong', async () => {
    const rows = [{ series: 'MAE', blocks: -1, accuracy: { mean: 60 } }];
    await expect(readFineTuningResults(await written({ rows }))).rejects.toThrow('rows[0].blocks');
  });

  it('are refused with an accuracy beyond 100 percent, an unknown key, and no row', async () => {
    await expect(readFineTuningResults(await written({ rows: [{ series: 'MAE', blocks: 1, accuracy: { mean: 160 } }] }))).rejects.toThrow('rows[0].accuracy.mean');
    await expect(readFineTuningResults(await written({ rows: [{ series: 'MAE', blocks: 1, accuracy: { mean: 60 }, seed: 1 }] }))).rejects.toThrow('seed');
    await expect(readFineTuningResults(await written({ rows: [] }))).rejects.toThrow('rows');
  });
});
