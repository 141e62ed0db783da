import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { TrainingError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { inTemporaryFolder } from '../testing/quadratic-run.js';
import { takeRunLock } from './run-lock.js';

/** The id of a process that lived and is gone. */
const deadProcess = (): number => spawnSync(process.execPath, ['-e', '']).pid;

describe('the lock of a run', () => {
  it('is there until it is released', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run.lock');
      const lock = await takeRunLock(path);
      expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() });
      await lock.release();
      expect(readdirSync(folder)).toEqual([]);
    }));

  it('is refused while a living process holds it, with that process and the remedy', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run.lock');
      const lock = await takeRunLock(path);
      await expect(takeRunLock(path)).rejects.toThrow(TrainingError);
      await expect(takeRunLock(path)).rejects.toThrow(`another process uses this run (process ${process.pid} on ${hostname()})`);
      await lock.release();
      await (await takeRunLock(path)).release();
    }));

  it('is taken over from a dead process', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run.lock');
      writeFileSync(path, JSON.stringify({ pid: deadProcess(), host: hostname() }));
      await takeRunLock(path);
      expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
      expect(readdirSync(folder)).toEqual(['run.lock']);
    }));

  it.skipIf(!existsSync('/proc/self/stat'))('is taken over when another process has got the number of the dead one', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run.lock');
      writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname(), started: '1' }));
      await takeRunLock(path);
      expect(JSON.parse(readFileSync(path, 'utf8'))).not.toMatchObject({ started: '1' });
    }));

  it('is taken over when it is no lock at all', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run.lock');
      writeFileSync(path, '{"pid":');
      await takeRunLock(path);
      expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
    }));

  it('is refused when another host holds it, which cannot be asked', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run.lock');
      writeFileSync(path, JSON.stringify({ pid: deadProcess(), host: 'elsewhere' }));
      await expect(takeRunLock(path)).rejects.toThrow(`on elsewhere`);
    }));

  it('goes to exactly one of many that want it at once, dead holder or none', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run.lock');
      writeFileSync(path, JSON.stringify({ pid: deadProcess(), host: hostname() }));
      const taken = await Promise.allSettled(Array.from({ length: 8 }, () => takeRunLock(path)));
      expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(readdirSync(folder)).toEqual(['run.lock']);
    }));

  it('is left alone on release when another process took it over meanwhile', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run.lock');
      const lock = await takeRunLock(path);
      writeFileSync(path, JSON.stringify({ pid: 1, host: 'elsewhere' }));
      await lock.release();
      expect(readFileSync(path, 'utf8')).toContain('elsewhere');
    }));
});
