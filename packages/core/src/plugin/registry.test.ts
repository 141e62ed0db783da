import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PluginError } from '../errors.js';
import { definePlugin } from './define-plugin.js';
import { createRegistry, offeredHooks } from './registry.js';

let folder = '';
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'mimlab-registry-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** The source of a plugin that stands alone: its packages are not installed beside this test. */
const source = (name: string, more: Record<string, unknown> = {}): string => {
  const fields = { kind: 'method', name, version: '1.2.0', core: '^0.1.0', paper: `paper of ${name}`, ...more };
  return `export default { ...${JSON.stringify(fields)}, configSchema: { safeParse: (data) => ({ success: true, data }) },
    hooks: () => ({ target: () => ({}) }), wrap: () => ({ decoder: (inner) => inner }) };`;
};

function install(packageName: string, text: string, manifest: Record<string, unknown> = {}): string {
  write(`node_modules/${packageName}/package.json`, JSON.stringify({ name: packageName, version: '1.2.0', type: 'module', exports: './index.js', ...manifest }));
  return write(`node_modules/${packageName}/index.js`, text);
}
const declared = { mimlab: { plugin: true } };
const registry = (): ReturnType<typeof createRegistry> => createRegistry({ from: [folder] });

describe('a plugin is found', () => {
  it.each([['@mimlab/plugin-dots'], ['@mimlab/dots'], ['mimlab-plugin-dots'], ['dots']])('by its short name in the package %s', async (packageName) => {
    const module = install(packageName, source('dots'));
    const found = await registry().load('dots');
    expect(found.plugin.name).toBe('dots');
    expect(found).toMatchObject({ module, reference: 'dots' });
  });

  it('by its package name', async () => {
    install('@somebody/masks', source('dots'));
    expect((await registry().load('@somebody/masks')).plugin.name).toBe('dots');
  });

  it('by its short name in any package that declares itself', async () => {
    install('@somebody/masks', source('dots'), declared);
    expect((await registry().load('dots')).plugin.name).toBe('dots');
  });

  it('by a path relative to the file that names it', async () => {
    const file = write('configs/dots.js', source('dots'));
    const found = await registry().load('./dots.js', join(folder, 'configs'));
    expect(found).toMatchObject({ module: file, reference: file });
  });

  it('by the folder of its package', async () => {
    const module = install('anything', source('dots'));
    expect((await registry().load('./node_modules/anything', folder)).module).toBe(module);
  });

  it('by a file URL', async () => {
    const file = write('dots.mjs', source('dots'));
    expect((await registry().load(pathToFileURL(file).href)).module).toBe(file);
  });

  it('in the packages of the folder that names it, and of those above', async () => {
    install('mimlab-plugin-dots', source('dots'));
    const elsewhere = createRegistry({ from: ['/'] });
    expect((await elsewhere.load('dots', join(folder, 'a', 'b'))).plugin.name).toBe('dots');
  });

  it('under the conditions of its exports, the build for workers and the source for this process', async () => {
    const exports = { '.': { '@mimlab/source': './source.js', types: './index.d.ts', default: './index.js' } };
    const built = install('mimlab-plugin-dots', source('dots', { paper: 'built' }), { exports });
    write('node_modules/mimlab-plugin-dots/source.js', source('dots', { paper: 'source' }));
    const found = await registry().load('dots');
    expect(found.plugin.paper).toBe('source');
    expect(found.module).toBe(built);
  });

  it('without a build, the source stands in for it', async () => {
    const exports = { '@mimlab/source': './source.js', default: './dist/index.js' };
    install('mimlab-plugin-dots', '', { exports });
    const file = write('node_modules/mimlab-plugin-dots/source.js', source('dots'));
    expect((await registry().load('dots')).module).toBe(file);
  });
});

describe('a plugin is refused', () => {
  const refused = async (name: string, from = folder): Promise<string> => {
    const error: unknown = await registry()
      .load(name, from)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PluginError);
    return (error as PluginError).message;
  };

  it('that nobody installed, with what is installed and the nearest name', async () => {
    install('mimlab-plugin-dots', source('dots'), declared);
    install('mimlab-plugin-lines', source('lines'), { keywords: ['mimlab-plugin'] });
    expect(await refused('dotz')).toMatch(/no plugin 'dotz' is installed; did you mean 'dots'\?\n {2}Installed: dots, lines\./);
  });

  it('where nothing is installed', async () => {
    expect(await refused('dots')).toMatch(/No plugin is installed at all/);
  });

  it('whose path does not exist', async () => {
    expect(await refused('./no.js')).toBe(`${folder}/no.js: there is no such file or folder`);
  });

  it('whose path is a folder without a package', async () => {
    expect(await refused('.')).toMatch(/this folder holds no package/);
  });

  it('written for another core, with both versions', async () => {
    install('mimlab-plugin-dots', source('dots', { core: '^9.0.0' }));
    expect(await refused('dots')).toMatch(/written for core \^9\.0\.0, this is core 0\.1\.0/);
  });

  it('whose default export is something else', async () => {
    install('mimlab-plugin-dots', 'export default 3;');
    expect(await refused('dots')).toMatch(/its default export is no plugin/);
  });

  it('whose module throws', async () => {
    install('mimlab-plugin-dots', `throw new Error('no luck');`);
    expect(await refused('dots')).toMatch(/cannot be loaded: no luck/);
  });

  it('whose package exports nothing', async () => {
    install('mimlab-plugin-dots', source('dots'), { exports: { './other': './index.js' } });
    expect(await refused('dots')).toMatch(/exports nothing that can be imported/);
  });

  it('whose built file is missing', async () => {
    install('mimlab-plugin-dots', source('dots'), { exports: './dist/index.js' });
    expect(await refused('dots')).toMatch(/dist\/index\.js does not exist\n {2}Build the package/);
  });
});

describe('two plugins of one name', () => {
  it('are refused with both places', async () => {
    const first = install('mimlab-plugin-dots', source('dots'));
    const second = write('mine.js', source('dots'));
    const plugins = registry();
    await plugins.load('dots');
    await expect(plugins.load('./mine.js', folder)).rejects.toThrow(`two plugins are named 'dots': ${first} and ${second}`);
  });

  it('are refused when one short name finds two packages', async () => {
    install('mimlab-plugin-dots', source('dots'));
    install('@mimlab/dots', source('dots'));
    await expect(registry().load('dots')).rejects.toThrow(/two plugins are named 'dots'/);
  });

  it('are allowed when the later one replaces the first, which then counts for the name', async () => {
    install('mimlab-plugin-dots', source('dots'));
    const file = write('mine.js', source('dots', { replace: true }));
    const plugins = registry();
    await plugins.load('dots');
    await plugins.load('./mine.js', folder);
    expect((await plugins.load('dots')).module).toBe(file);
  });

  it('are one when they are the same module', async () => {
    install('mimlab-plugin-dots', source('dots'));
    const plugins = registry();
    const [first, second] = [await plugins.load('dots'), await plugins.load('mimlab-plugin-dots')];
    expect(second.plugin).toBe(first.plugin);
  });
});

describe('the list of plugins', () => {
  it('says what each one is, offers and needs', async () => {
    install('mimlab-plugin-dots', source('dots'), declared);
    install('@somebody/halve', source('halve', { kind: 'wrapper' }), declared);
    install('left-pad', 'export default 1;');
    expect(await registry().list()).toEqual([
      { package: 'mimlab-plugin-dots', folder: join(folder, 'node_modules/mimlab-plugin-dots'), name: 'dots', kind: 'method', version: '1.2.0', core: '^0.1.0', paper: 'paper of dots', hooks: ['target'] },
      { package: '@somebody/halve', folder: join(folder, 'node_modules/@somebody/halve'), name: 'halve', kind: 'wrapper', version: '1.2.0', core: '^0.1.0', paper: 'paper of halve', hooks: ['decoder'] },
    ]);
  });

  it('names a broken plugin with its problem instead of failing', async () => {
    install('mimlab-plugin-dots', 'export default 1;', declared);
    expect(await registry().list()).toMatchObject([{ package: 'mimlab-plugin-dots', problem: expect.stringContaining('is no plugin') }]);
  });

  it('passes over files and folders that are no packages', async () => {
    write('node_modules/stray.txt', '');
    write('node_modules/broken/package.json', '{');
    expect(await registry().list()).toEqual([]);
  });
});

describe('the hooks that a plugin offers', () => {
  const described = { name: 'dots', version: '1.0.0', core: '^0.1.0', paper: 'none', configSchema: z.strictObject({ file: z.string() }), hooks: () => ({}) };

  it('are those of its example where some setting has no default', () => {
    expect(offeredHooks(definePlugin({ ...described, exampleConfig: { file: 'any' } }))).toEqual([]);
  });

  it('are not known where there is no example either', () => {
    expect(offeredHooks(definePlugin(described))).toBeUndefined();
  });
});
