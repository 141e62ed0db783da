import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadRunContext, openRegistry, storedConfig } from './run-context.js';
import { tinySettings } from './tiny-run.test-support.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-context-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe('the configuration stored in a run', () => {
  it('is found in its folder, whatever the folder is called', () => {
    const run = join(folder, 'Läufe 1');
    mkdirSync(run);
    writeFileSync(join(run, 'config.yaml'), '');
    expect(storedConfig(run)).toBe(join(run, 'config.yaml'));
  });

  it('is refused where there is no folder, a file, or a folder without one, each with what is expected', () => {
    mkdirSync(join(folder, 'empty'));
    expect(() => storedConfig(join(folder, 'gone'))).toThrow(/gone: there is no such run\n.*config\.yaml and checkpoints\//);
    expect(() => storedConfig(file('file', ''))).toThrow(/file: is a file, the folder of a run is expected\n/);
    expect(() => storedConfig(join(folder, 'empty'))).toThrow(/empty: is no run: it has no config\.yaml\n/);
  });
});

describe('the context of a run', () => {
  it('holds the hooks for the images of its data', async () => {
    const { objective, compositionRef, config } = await loadRunContext('mae/vit-b16-in1k-pr50', tinySettings('data'));
    expect(objective.image).toEqual({ height: 8, width: 8, channels: 1 });
    expect(compositionRef.image).toEqual(objective.image);
    expect(objective.grid).toEqual({ rows: 4, columns: 4 });
    expect(config.train.batch).toBe(4);
  });

  it('takes a preset by its name and a configuration by its path, which may extend a preset', async () => {
    const path = file('own.yaml', 'extends: mae/vit-b16-in1k-pr50\nseed: 7\n');
    expect((await loadRunContext(path)).config).toMatchObject({ seed: 7, method: { plugin: 'mae' } });
  });

  it('lets an override win over the file, the last one over the first', async () => {
    const path = file('seeded.yaml', 'extends: mae/vit-b16-in1k-pr50\nseed: 7\n');
    expect((await loadRunContext(path, ['seed=8', 'seed=9'])).config.seed).toBe(9);
  });

  it('refuses hooks that do not fit with what is wrong', async () => {
    await expect(loadRunContext('mae/vit-b16-in1k-pr50', [...tinySettings('data'), 'method.patchSize=3'])).rejects.toThrow(/8[^]*3/);
  });
});

it('plugins that come with the command are found from any folder', async () => {
  const home = process.cwd();
  process.chdir(folder);
  try {
    expect((await openRegistry().list()).map(({ name }) => name)).toEqual(expect.arrayContaining(['mae', 'simmim', 'pr-mim']));
  } finally {
    process.chdir(home);
  }
});
