import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../errors.js';
import { definePlugin } from '../plugin/define-plugin.js';
import { loadRunConfig } from './load-run-config.js';
import { presetAbout } from './preset-about.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-about-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe('what a preset says of itself', () => {
  it('is its first line and its rows', () => {
    expect(presetAbout(write('a.yaml', '# Dots, small.\n# More.\nreproduces: [t1-01, t2-07]\nseed: 1\n'))).toEqual({ description: 'Dots, small.', rows: ['t1-01', 't2-07'] });
  });

  it('has no trace of the line ends of Windows', () => {
    expect(presetAbout(write('crlf.yaml', '# Dots, small.\r\nreproduces: [t1-01]\r\n'))).toEqual({ description: 'Dots, small.', rows: ['t1-01'] });
  });

  it('may be nothing, or one row', () => {
    expect(presetAbout(write('b.yaml', 'seed: 1\n'))).toEqual({ description: '', rows: [] });
    expect(presetAbout(write('c.yaml', 'reproduces: t1-01\n')).rows).toEqual(['t1-01']);
  });

  it('is not what it extends says', () => {
    write('base.yaml', '# Base.\nreproduces: [t1-01]\n');
    expect(presetAbout(write('d.yaml', '# Longer.\nextends: base.yaml\n')).rows).toEqual([]);
  });

  it('refuses rows that are no text, with their place', () => {
    const file = write('e.yaml', '# E.\nreproduces: [t1-01, 3]\n');
    expect(() => presetAbout(file)).toThrow(ConfigError);
    expect(() => presetAbout(file)).toThrow(/e\.yaml:2:21: reproduces: the id of a row is expected/);
  });
});

describe('rows in a configuration that is loaded', () => {
  const dots = definePlugin({ name: 'dots', version: '1.0.0', core: '^0.1.0', paper: 'none', configSchema: z.strictObject({}), hooks: () => ({}) });
  const options = { sections: {}, registry: { load: () => Promise.resolve({ plugin: dots, module: '/dots.js', reference: 'dots' }) } };

  it('are left out of it: a run with other settings would not reproduce them', async () => {
    const { config, format } = await loadRunConfig(write('f.yaml', 'reproduces: [t1-01]\nmethod: { plugin: dots }\n'), options);
    expect(config).not.toHaveProperty('reproduces');
    expect(format()).not.toContain('t1-01');
  });

  it('are checked all the same', async () => {
    await expect(loadRunConfig(write('g.yaml', 'reproduces: { t1: 1 }\nmethod: { plugin: dots }\n'), options)).rejects.toThrow(/g\.yaml:1:\d+: reproduces: the id of a row is expected/);
  });
});
