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

const table = (row: unknown, scale: string | null = null) => written({ id: 't2', title: 'Effect', scale, notes: [], rows: { 't2-01': row } });

describe('results of a table', () => {
  it('are read from what the command prints, with their scale', async () => {
    const { scale, rows } = await readTableResults(await table(ROW, 'cifar10'));
    expect(scale).toBe('cifar10');
    expect(rows).toEqual([{ id: 't2-01', published: { top1: 81.7 }, analytic: { gmacs: 9.78 }, measured: { top1: { mean: 61.2, spread: undefined } } }]);
  });

  it('may lack measured numbers and their scale, and hold words for published ones', async () => {
    const { scale, rows } = await readTableResults(await table({ ...ROW, published: { top1: 'fail' }, measured: null }));
    expect([scale, rows[0]?.published?.top1, rows[0]?.measured]).toEqual([null, 'fail', null]);
  });

  it('are refused with the row and key that is wrong, and with what writes them', async () => {
    await expect(readTableResults(await table({ ...ROW, id: 1 }))).rejects.toThrow(/results\.json[\s\S]*t2-01[\s\S]*id[\s\S]*mimlab table t2 --format json/);
    await expect(readTableResults(await written('no json'))).rejects.toThrow('is no JSON');
  });
});

describe('results of partial fine-tuning', () => {
  it('are series of blocks and accuracies', async () => {
    const rows = [{ series: 'MAE', blocks: 0.5, accuracy: { mean: 60, spread: 0.3 } }];
    expect(await readFineTuningResults(await written({ title: 'CIFAR-10', rows }))).toEqual({ title: 'CIFAR-10', rows });
  });

  it('are read from what a sweep over partial fine-tuning prints', async () => {
    const evaluations = [
      { name: 'none', protocol: 'partial', labels: 'all', set: { blocks: 0 } },
      { name: 'half', protocol: 'partial', labels: 'all', set: { blocks: 'half' } },
      { name: 'knn', protocol: 'knn', labels: 'all', set: {} },
    ];
    const rows = [{ label: 'full', evaluations: { none: { mean: 0.5, spread: 0.01 }, half: { mean: 0.625 }, knn: { mean: 0.1 } } }];
    expect(await readFineTuningResults(await written({ title: 'Curve', evaluations, rows }))).toEqual({
      title: 'Curve',
      rows: [
        { series: 'full', blocks: 0, accuracy: { mean: 50, spread: 1 } },
        { series: 'full', blocks: 0.5, accuracy: { mean: 62.5 } },
      ],
    });
    await expect(readFineTuningResults(await written({ title: 'Curve', evaluations: [], rows }))).rejects.toThrow('rows');
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
