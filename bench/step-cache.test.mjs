import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyStepCache } from './step-cache.mjs';

describe('a cache without compiled steps', () => {
  let root;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'mimlab-step-cache-'))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('has the libraries of the one it is made from, and no steps', () => {
    const from = join(root, 'own');
    mkdirSync(join(from, 'tensorflow'), { recursive: true });
    mkdirSync(join(from, 'steps'));
    writeFileSync(join(from, 'tensorflow', 'library'), 'bytes');
    const folder = emptyStepCache(root, from);
    expect(readdirSync(folder)).toEqual(['tensorflow']);
    expect(readFileSync(join(folder, 'tensorflow', 'library'), 'utf8')).toBe('bytes');
  });

  it('is a folder of its own at every call, and its removal spares the libraries', () => {
    const from = join(root, 'own');
    mkdirSync(join(from, 'kernels'), { recursive: true });
    const [first, second] = [emptyStepCache(root, from), emptyStepCache(root, from)];
    expect(first).not.toBe(second);
    rmSync(first, { recursive: true });
    expect(existsSync(join(from, 'kernels'))).toBe(true);
  });

  it('is empty where nothing was cached yet', () => {
    expect(readdirSync(emptyStepCache(root, join(root, 'none')))).toEqual([]);
  });
});
