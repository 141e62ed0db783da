import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PluginError } from '../errors.js';
import { importPlugin, loadComposition, pluginModules } from './composition-ref.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-composition-'));
  for (const [name, kind] of [['dots', 'method'], ['halve', 'wrapper'], ['nothing', 'toy']]) {
    writeFileSync(join(folder, `${name}.mjs`), `export default { kind: '${kind}', name: '${name}' };`);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const module = (name: string): string => join(folder, `${name}.mjs`);
const image = { height: 2, width: 2, channels: 1 };

describe('importPlugin', () => {
  it('takes a path or a file URL', async () => {
    expect((await importPlugin(module('dots'))).name).toBe('dots');
    expect((await importPlugin(pathToFileURL(module('dots')).href)).name).toBe('dots');
  });
  it('refuses a module that is not there, or exports something else', async () => {
    await expect(importPlugin(module('missing'))).rejects.toThrow(PluginError);
    await expect(importPlugin(join(folder, 'missing.ts'))).rejects.toThrow(/build the package first/);
    await expect(importPlugin(module('nothing'))).rejects.toThrow(/its default export is no plugin/);
  });
});

describe('pluginModules', () => {
  it('names those of the method, of single hooks and of wrappers', () => {
    const plugin = (module: string): { module: string; config: object } => ({ module, config: {} });
    expect(pluginModules({ image, method: plugin('a'), hooks: { target: plugin('b') }, wrap: [plugin('c'), plugin('d')] })).toEqual(['a', 'b', 'c', 'd']);
    expect(pluginModules({ image, method: plugin('a') })).toEqual(['a']);
  });
});

describe('loadComposition', () => {
  it('imports every plugin and keeps the settings', async () => {
    const ref = {
      image,
      method: { module: module('dots'), config: { a: 1 } },
      hooks: { target: { module: module('dots'), config: { b: 2 } } },
      wrap: [{ module: module('halve'), config: { c: 3 } }],
    };
    expect(await loadComposition(structuredClone(ref))).toMatchObject({
      image,
      method: { plugin: { name: 'dots' }, config: { a: 1 } },
      hooks: { target: { plugin: { name: 'dots' }, config: { b: 2 } } },
      wrap: [{ plugin: { name: 'halve' }, config: { c: 3 } }],
    });
  });

  it('refuses a wrapper as method and a method as wrapper', async () => {
    await expect(loadComposition({ image, method: { module: module('halve'), config: {} } })).rejects.toThrow(/'halve' is a wrapper, a method is expected\n {2}Name it under 'wrap'/);
    const method = { module: module('dots'), config: {} };
    await expect(loadComposition({ image, method, wrap: [method] })).rejects.toThrow(/'dots' is a method, a wrapper is expected/);
  });
});
