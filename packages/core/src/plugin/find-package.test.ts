import { describe, expect, it } from 'vitest';
import { declaresPlugin, entryFile, type InstalledPackage } from './find-package.js';

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
