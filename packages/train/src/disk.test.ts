import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError, TrainingError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { inTemporaryFolder } from '../testing/quadratic-run.js';
import { diskError, ensureFolder, onDisk, writeFileAtomically } from './disk.js';

const systemError = (code: string): Error => Object.assign(new Error(`${code}: write`), { code });

describe('what the file system refuses', () => {
  it.each(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EEXIST', 'EIO'])('%s becomes an error with path, reason and remedy', (code) => {
    const error = diskError('/runs/a', systemError(code)) as TrainingError;
    expect(error).toBeInstanceOf(TrainingError);
    expect(error.place).toBe('/runs/a');
    expect(error.problem).not.toContain(code);
    expect(error.remedy?.length).toBeGreaterThan(10);
  });

  it('is found inside an error that wraps it', () => {
    const wrapped = new CheckpointError('cannot be written', { place: 'model.safetensors', cause: systemError('ENOSPC') });
    expect(diskError('/runs/a', wrapped)).toMatchObject({ place: '/runs/a', problem: 'no space left on the disk' });
  });

  it('keeps its own words where it is not a known reason', () => {
    expect(diskError('/runs/a', systemError('EMFILE'))).toMatchObject({ place: '/runs/a', problem: 'the file system refuses: EMFILE: write' });
  });

  it('lets other errors pass as they are', async () => {
    const mistake = new TypeError('a bug');
    const damaged = new CheckpointError('damaged');
    expect(diskError('/runs/a', mistake)).toBe(mistake);
    expect(diskError('/runs/a', damaged)).toBe(damaged);
    await expect(onDisk('/runs/a', () => Promise.reject(mistake))).rejects.toBe(mistake);
  });
});

describe('a file written atomically', () => {
  it('replaces an older one and leaves nothing beside it', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'a.json');
      await writeFileAtomically(path, 'old');
      await writeFileAtomically(path, 'new');
      expect(readFileSync(path, 'utf8')).toBe('new');
      expect(readdirSync(folder)).toEqual(['a.json']);
    }));

  it('that cannot be put in its place leaves nothing behind', () =>
    inTemporaryFolder(async (folder) => {
      mkdirSync(join(folder, 'taken'));
      await expect(writeFileAtomically(join(folder, 'taken'), 'new')).rejects.toThrow(TrainingError);
      expect(readdirSync(folder)).toEqual(['taken']);
    }));
});

describe('a folder', () => {
  it('is made with all that lead to it', () =>
    inTemporaryFolder(async (folder) => {
      await ensureFolder(join(folder, 'a', 'b'));
      expect(readdirSync(join(folder, 'a'))).toEqual(['b']);
    }));

  it('cannot be made inside a file', () =>
    inTemporaryFolder(async (folder) => {
      writeFileSync(join(folder, 'file'), '');
      await expect(ensureFolder(join(folder, 'file', 'b'))).rejects.toThrow('a part of this path is a file');
    }));
});
