import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { declaredPlugins, declaresPlugin, entryFile, findPackage, readPackage, type InstalledPackage } from './find-package.js';

const installed = (manifest: Record<string, unknown>): InstalledPackage => ({ name: 'p', version: '1.0.0', folder: '/p', manifest });
const entry = (manifest: Record<string, unknown>, conditions = ['node', 'import']): string | undefined => entryFile(installed(manifest), conditions);

describe('the entry of a package', () => {
  it('is its only export', () => expect(entry({ exports: './a.js' })).toBe('/p/a.js'));
  it('is the export of its root', () => expect(entry({ exports: { '.': './a.js', './b': './b.js' } })).toBe('/p/a.js'));
  it('is the first condition that holds, in the order of the package', () => {
    expect(entry({ exports: { '.': { browser: './b.js', import: './i.js', default: './d.js' } } })).toBe('/p/i.js');
    expect(entry({ exports: { default: './d.js', import: './i.js' } })).toBe('/p/d.js');
  });
  it('may be nested, and a branch without an answer is passed over', () => {
    expect(entry({ exports: { '.': { node: { require: './r.cjs' }, default: './d.js' } } })).toBe('/p/d.js');
    expect(entry({ exports: { '.': { node: { import: './n.js' }, default: './d.js' } } })).toBe('/p/n.js');
  });
  it('is `main` or index.js where there are no exports', () => {
    expect(entry({ main: 'lib/a.js' })).toBe('/p/lib/a.js');
    expect(entry({})).toBe('/p/index.js');
  });
  it('is none where the root is not exported', () => {
    expect(entry({ exports: { './b': './b.js' } })).toBeUndefined();
    expect(entry({ exports: { '.': null } })).toBeUndefined();
  });
});

describe('a package declares a plugin', () => {
  it('by its mimlab field or by a keyword', () => {
    expect(declaresPlugin(installed({ mimlab: { plugin: true } }))).toBe(true);
    expect(declaresPlugin(installed({ keywords: ['a', 'mimlab-plugin'] }))).toBe(true);
  });
  it('by nothing else', () => {
    for (const manifest of [{}, { mimlab: { plugin: 'yes' } }, { mimlab: true }, { keywords: 'mimlab-plugin' }, { name: 'mimlab-plugin-x' }]) {
      expect(declaresPlugin(installed(manifest))).toBe(false);
    }
  });
});

describe('packages in folders', () => {
  let root = '';
  beforeAll(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'mimlab-packages-')));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const write = (file: string, content: unknown): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
  };
  const plugin = (name: string, version = '1.0.0'): unknown => ({ name, version, keywords: ['mimlab-plugin'] });

  it.each([
    ['is missing', undefined],
    ['is no JSON', '{'],
    ['is null', 'null'],
    ['is a list', '[]'],
    ['is text', '"package"'],
    ['has no name', { version: '1.0.0' }],
    ['has a number for its name', { name: 3 }],
  ])('are none where the manifest %s', (what, manifest) => {
    const folder = what.replaceAll(' ', '-');
    write(`${folder}/README.md`, '');
    if (manifest !== undefined) write(`${folder}/package.json`, manifest);
    expect(readPackage(join(root, folder))).toBeUndefined();
  });

  it('without a version have version 0.0.0', () => {
    write('plain/package.json', { name: 'plain' });
    expect(readPackage(join(root, 'plain'))).toMatchObject({ name: 'plain', version: '0.0.0', folder: join(root, 'plain') });
  });

  it('are named by their real folder where they are linked', () => {
    write('source/package.json', plugin('linked'));
    mkdirSync(join(root, 'link/node_modules'), { recursive: true });
    symlinkSync(join(root, 'source'), join(root, 'link/node_modules/linked'));
    expect(findPackage('linked', [join(root, 'link')])?.folder).toBe(join(root, 'source'));
  });

  it('are found in the nearest folder first, then in those above', () => {
    write('near/node_modules/dots/package.json', plugin('dots', '1.0.0'));
    write('near/deep/node_modules/dots/package.json', plugin('dots', '2.0.0'));
    expect(findPackage('dots', [join(root, 'near/deep/er')])?.version).toBe('2.0.0');
    expect(findPackage('dots', [join(root, 'near')])?.version).toBe('1.0.0');
    expect(findPackage('dashes', [join(root, 'near/deep')])).toBeUndefined();
    expect(declaredPlugins([join(root, 'near/deep')]).map(({ version }) => version)).toEqual(['2.0.0']);
  });

  it('are listed past files, hidden folders, broken links and scopes that are none', () => {
    write('messy/node_modules/good/package.json', plugin('good'));
    write('messy/node_modules/@own/good/package.json', plugin('@own/good'));
    write('messy/node_modules/other/package.json', { name: 'other' });
    write('messy/node_modules/.cache/package.json', plugin('hidden'));
    write('messy/node_modules/@file', 'no folder');
    symlinkSync(join(root, 'gone'), join(root, 'messy/node_modules/@gone'));
    expect(declaredPlugins([join(root, 'messy')]).map(({ name }) => name).sort()).toEqual(['@own/good', 'good']);
  });

  it('are none where node_modules is a file', () => {
    write('odd/node_modules', '');
    expect(declaredPlugins([join(root, 'odd')])).toEqual([]);
  });
});
