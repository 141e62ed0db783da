import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrainingError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { inTemporaryFolder, quadraticEngine } from '../testing/quadratic-run.js';
import { describeEnvironment } from './environment.js';
import { openRunFolder, type RunFolder } from './run-folder.js';

const open = (path: string, resume = false): Promise<RunFolder> => openRunFolder({ path, resume, configText: 'seed: 1\n' });

describe('the folder of a run', () => {
  it('is created with its configuration', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'deep', 'run');
      const run = await open(path);
      expect(run).toMatchObject({ path, resumed: false, checkpoints: join(path, 'checkpoints'), metrics: join(path, 'metrics.jsonl') });
      expect(readFileSync(join(path, 'config.yaml'), 'utf8')).toBe('seed: 1\n');
      await run.release();
      expect(readdirSync(path).sort()).toEqual(['checkpoints', 'config.yaml']);
    }));

  it('is not overwritten by another run', () =>
    inTemporaryFolder(async (folder) => {
      await (await open(join(folder, 'run'))).release();
      await expect(open(join(folder, 'run'))).rejects.toThrow(TrainingError);
      await expect(open(join(folder, 'run'))).rejects.toThrow(/holds a run already\n.*--resume/);
    }));

  it('is not made of a folder with something else in it', () =>
    inTemporaryFolder(async (folder) => {
      writeFileSync(join(folder, 'thesis.tex'), 'dear to somebody');
      await expect(open(folder)).rejects.toThrow('is not empty');
      await expect(open(folder, true)).rejects.toThrow('is no run: it has no config.yaml');
      expect(readdirSync(folder)).toEqual(['thesis.tex']);
    }));

  it('keeps its configuration when it is resumed, and loses what a killed process left half done', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run');
      await (await open(path)).release();
      mkdirSync(join(path, 'checkpoints', '.unfinished-step-00000003'));
      const run = await openRunFolder({ path, resume: true, configText: 'seed: 2\n' });
      expect(run.resumed).toBe(true);
      expect(readFileSync(join(path, 'config.yaml'), 'utf8')).toBe('seed: 1\n');
      expect(readdirSync(join(path, 'checkpoints'))).toEqual([]);
      await run.release();
    }));

  it('can be resumed when a kill came before the configuration was whole', () =>
    inTemporaryFolder(async (folder) => {
      writeFileSync(join(folder, 'config.yaml.tmp-1'), 'se');
      const run = await open(folder, true);
      expect(run.resumed).toBe(false);
      expect(readFileSync(join(folder, 'config.yaml'), 'utf8')).toBe('seed: 1\n');
      await run.release();
    }));

  it('that does not exist cannot be resumed', () =>
    inTemporaryFolder(async (folder) => {
      await expect(open(join(folder, 'missing'), true)).rejects.toThrow('there is no such run');
      expect(readdirSync(folder)).toEqual([]);
    }));

  it('serves one process at a time', () =>
    inTemporaryFolder(async (folder) => {
      const run = await open(join(folder, 'run'));
      await expect(open(join(folder, 'run'), true)).rejects.toThrow('another process uses this run');
      await run.release();
      await (await open(join(folder, 'run'), true)).release();
    }));

  it('remembers the environment of each part of a run', () =>
    inTemporaryFolder(async (folder) => {
      const run = await open(join(folder, 'run'));
      const environment = describeEnvironment(quadraticEngine(), new Date(0));
      await run.writeEnvironment(environment);
      await run.writeEnvironment({ ...environment, created: 'later' });
      await run.release();
      const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, 'run', name), 'utf8'));
      expect(read('environment.json')).toEqual(environment);
      expect(environment.created).toBe('1970-01-01T00:00:00.000Z');
      expect(read('environment-resumed-1.json')).toMatchObject({ created: 'later' });
    }));

  it('names the path when a file is in the way', () =>
    inTemporaryFolder(async (folder) => {
      writeFileSync(join(folder, 'file'), '');
      await expect(open(join(folder, 'file', 'run'))).rejects.toThrow(/a part of this path is a file, not a folder/);
    }));
});
