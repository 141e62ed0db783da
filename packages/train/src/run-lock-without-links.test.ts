import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { inTemporaryFolder } from '../testing/quadratic-run.js';
import { takeRunLock } from './run-lock.js';

vi.mock('node:fs/promises', async (original) => ({
  ...(await original<object>()),
  link: () => Promise.reject(Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' })),
}));

describe('the lock of a run on a file system without hard links', () => {
  it('is taken, refused to others and released all the same', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run.lock');
      const lock = await takeRunLock(path);
      expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
      await expect(takeRunLock(path)).rejects.toThrow('another process uses this run');
      await lock.release();
      expect(readdirSync(folder)).toEqual([]);
    }));
});
