import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findConfigFile, presetNames } from './preset-files.js';

let folder = '';
const at = (...names: string[]): string => join(folder, ...names);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-presets-'));
  mkdirSync(at('own', 'mae'), { recursive: true });
  mkdirSync(at('presets', 'mae'), { recursive: true });
  for (const file of ['own/run.yaml', 'presets/mae/tiny.yaml', 'presets/mae/other.yml', 'presets/README.md', 'presets/run.yaml']) writeFileSync(at(file), '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const find = (name: string): string | undefined => findConfigFile(name, at('own'), [at('presets')]);

describe('findConfigFile', () => {
  it('prefers the folder to the presets', () => expect(find('run.yaml')).toBe(at('own/run.yaml')));
  it('falls back to the presets', () => expect(find('mae/tiny.yaml')).toBe(at('presets/mae/tiny.yaml')));
  it('adds the ending', () => expect([find('mae/tiny'), find('mae/other')]).toEqual([at('presets/mae/tiny.yaml'), at('presets/mae/other.yml')]));
  it('takes a name that starts with a dot as a path only', () => expect(find('./mae/tiny.yaml')).toBeUndefined());
  it('takes absolute paths', () => expect(find(at('presets/mae/tiny.yaml'))).toBe(at('presets/mae/tiny.yaml')));
  it('does not take a folder for a file', () => expect(find('mae')).toBeUndefined());
  it.each([
    ['longer than any name', 'x'.repeat(5000)],
    ['through a file', 'run.yaml/other'],
    ['with a zero byte', 'run\0.yaml'],
    ['of nothing', ''],
  ])('finds nothing under a name %s', (_, name) => expect(find(name)).toBeUndefined());
});

describe('presetNames', () => {
  it('lists YAML files of all folders, sorted, each once', () => {
    expect(presetNames([at('presets'), at('own'), at('nowhere')])).toEqual(['mae/other.yml', 'mae/tiny.yaml', 'run.yaml']);
  });
});
