import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inTemporaryFolder } from '../testing/quadratic-run.js';
import { appendMetrics, readMetrics, scalarsOf, syncMetrics, truncateMetrics, type MetricsRow } from './metrics-log.js';

const row = (step: number): MetricsRow => ({
  step,
  epoch: step / 10,
  loss: 1 / step,
  parts: { retained: 0.5, thrown: 0.25 },
  lr: 0.1,
  gradNorm: 1,
  paramNorm: 2,
  updateNorm: 3,
  imagesPerSecond: 100,
  seconds: { data: 0.1, step: 0.9 },
  loader: { read: 0.01, decode: 0.2, augment: 0.3, plan: 0.05, host: 0, wait: 0.1 },
  memoryMiB: 321,
});
const fileWith = (folder: string, ...steps: number[]): string => {
  const path = join(folder, 'metrics.jsonl');
  for (const step of steps) appendMetrics(path, row(step));
  return path;
};

describe('metrics.jsonl', () => {
  it('gives back the rows that were written', () =>
    inTemporaryFolder(async (folder) => {
      expect(await readMetrics(fileWith(folder, 1, 2))).toEqual([row(1), row(2)]);
    }));

  it('has no rows where there is no file', () =>
    inTemporaryFolder(async (folder) => {
      expect(await readMetrics(join(folder, 'metrics.jsonl'))).toEqual([]);
    }));

  it('loses the rows after a checkpoint, and no other', () =>
    inTemporaryFolder(async (folder) => {
      const path = fileWith(folder, 5, 10, 15, 20);
      expect(await truncateMetrics(path, 10)).toBe(2);
      expect((await readMetrics(path)).map(({ step }) => step)).toEqual([5, 10]);
    }));

  it('loses the half row of a killed process', () =>
    inTemporaryFolder(async (folder) => {
      const path = fileWith(folder, 5, 10);
      appendFileSync(path, '{"step":12,"epo');
      expect(await readMetrics(path)).toEqual([row(5), row(10)]);
      expect(await truncateMetrics(path, 12)).toBe(1);
      appendMetrics(path, row(12));
      expect((await readMetrics(path)).map(({ step }) => step)).toEqual([5, 10, 12]);
    }));

  it('is left as it is when nothing is to be dropped', () =>
    inTemporaryFolder(async (folder) => {
      const path = fileWith(folder, 5);
      const before = readFileSync(path, 'utf8');
      expect(await truncateMetrics(path, 5)).toBe(0);
      expect(readFileSync(path, 'utf8')).toBe(before);
    }));

  it('can be brought to the disk before its first row', () =>
    inTemporaryFolder(async (folder) => {
      await syncMetrics(join(folder, 'metrics.jsonl'));
      expect(readFileSync(join(folder, 'metrics.jsonl'), 'utf8')).toBe('');
    }));

  it('names the path when it cannot be written', () =>
    inTemporaryFolder(async (folder) => {
      writeFileSync(join(folder, 'file'), '');
      expect(() => appendMetrics(join(folder, 'file', 'metrics.jsonl'), row(1))).toThrow(/metrics\.jsonl: a part of this path is a file/);
    }));
});

describe('scalars for TensorBoard', () => {
  it('hold every figure of a row under a name of its own', () => {
    const scalars = scalarsOf(row(4));
    expect(scalars).toMatchObject({ loss: 0.25, 'loss/retained': 0.5, 'loss/thrown': 0.25, lr: 0.1, 'norm/gradient': 1, 'speed/images_per_second': 100, 'loader/augment': 0.3, 'loader/wait': 0.1, 'memory/resident_MiB': 321 });
    expect(Object.values(scalars).every(Number.isFinite)).toBe(true);
  });
});
