import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isBegun, isFinished, markFinished, prepare } from './job-state.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-job-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('a run', () => {
  it('is finished once it is marked so, with the time it took', async () => {
    expect(isFinished({ folder, kind: 'pretrain' })).toBe(false);
    await markFinished({ folder, kind: 'pretrain' }, 12.5);
    expect(isFinished({ folder, kind: 'pretrain' })).toBe(true);
    const mark = JSON.parse(readFileSync(join(folder, 'finished.json'), 'utf8')) as { finished: string; seconds: number };
    expect(mark.seconds).toBe(12.5);
    expect(Date.now() - Date.parse(mark.finished)).toBeLessThan(60_000);
  });

  it('is not finished by the results of an evaluation', () => {
    writeFileSync(join(folder, 'results.json'), '{}');
    expect(isFinished({ folder, kind: 'pretrain' })).toBe(false);
  });

  it('is begun once its configuration stands in its folder', () => {
    expect(isBegun({ folder })).toBe(false);
    writeFileSync(join(folder, 'config.yaml'), '');
    expect(isBegun({ folder })).toBe(true);
  });
});

describe('an evaluation', () => {
  it('is finished by its results and by no mark', async () => {
    await markFinished({ folder, kind: 'knn' }, 1);
    expect(readdirSync(folder)).toEqual([]);
    expect(isFinished({ folder, kind: 'knn' })).toBe(false);
    writeFileSync(join(folder, 'results.json'), '{}');
    expect(isFinished({ folder, kind: 'knn' })).toBe(true);
  });
});

describe('what a job reads', () => {
  const file = (): string => join(folder, 'configs', 'run.yaml');

  it('is its configuration, in a folder that is made', async () => {
    await prepare({ config: { file: file(), text: 'seed: 1\n' } });
    expect(readFileSync(file(), 'utf8')).toBe('seed: 1\n');
  });

  it('is the configuration of today, not that of an attempt that failed', async () => {
    for (const path of ['/wrong', '/right']) await prepare({ config: { file: file(), text: `data: { path: ${path} }\n` } });
    expect(readFileSync(file(), 'utf8')).toContain('/right');
    expect(readdirSync(join(folder, 'configs'))).toEqual(['run.yaml']);
  });

  it('is refused with its path where it cannot be written', async () => {
    writeFileSync(join(folder, 'configs'), '');
    await expect(prepare({ config: { file: file(), text: '' } })).rejects.toThrow(/configs: is a file, a folder is expected/);
    rmSync(join(folder, 'configs'));
    mkdirSync(file(), { recursive: true });
    await expect(prepare({ config: { file: file(), text: '' } })).rejects.toThrow('run.yaml');
    expect(existsSync(`${file()}.tmp-${process.pid}`)).toBe(false);
  });
});
