import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeDigest } from './code-digest.js';

let root = '';
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'mimlab-digest-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(name: string, text: string): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
const manifest = (name: string, version: string, more: object = {}): string => JSON.stringify({ name, version, ...more });

/** A plugin with a helper, on a package of mimlab, a package linked from elsewhere and a published one. */
function plugin(): string {
  put('plugin/package.json', manifest('mine', '1.0.0', { peerDependencies: { '@mimlab/core': '*' } }));
  put('plugin/node_modules/@mimlab/core/package.json', manifest('@mimlab/core', '0.1.0'));
  put('plugin/node_modules/@mimlab/core/dist/index.js', 'export const core = 1;');
  put('linked/package.json', manifest('linked', '1.0.0'));
  put('linked/index.js', 'export const linked = 1;');
  symlinkSync(join(root, 'linked'), join(root, 'plugin/node_modules/linked'));
  put('plugin/node_modules/published/package.json', manifest('published', '2.0.0'));
  put('plugin/node_modules/published/index.js', 'export const published = 1;');
  put('plugin/helper.js', `import 'linked'; import("published/part.js"); import { readFileSync } from 'node:fs';`);
  return put('plugin/index.js', `import './helper.js'; export default 1;`);
}

describe('the digest of code', () => {
  it('stays the same while the code does, whatever the times of its files', () => {
    const module = plugin();
    const before = codeDigest([module]);
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    utimesSync(join(root, 'plugin/helper.js'), 1, 1);
    expect(codeDigest([pathToFileURL(module).href])).toBe(before);
  });

  it.each([
    ['the module itself', 'plugin/index.js', `import './helper.js'; export default 2;`],
    ['a file beside it', 'plugin/helper.js', `import 'linked'; import("published/part.js");`],
    ['a new file', 'plugin/deep/new.js', ''],
    ['a package of mimlab', 'plugin/node_modules/@mimlab/core/dist/index.js', 'export const core = 2;'],
    ['a linked package', 'linked/index.js', 'export const linked = 2;'],
    ['the version of a published package', 'plugin/node_modules/published/package.json', manifest('published', '2.0.1')],
  ])('changes with %s', (_, file, text) => {
    const module = plugin();
    const before = codeDigest([module]);
    put(file, text);
    expect(codeDigest([module])).not.toBe(before);
    expect(codeDigest([module])).toBeDefined();
  });

  it('changes when contents are exchanged between files', () => {
    const module = put('a.js', 'export default 1;');
    put('b.js', 'export default 2;');
    const before = codeDigest([module]);
    put('a.js', 'export default 2;');
    put('b.js', 'export default 1;');
    expect(codeDigest([module])).not.toBe(before);
  });

  it.each([
    ['tests', 'plugin/index.test.ts'],
    ['declarations', 'plugin/index.d.ts'],
    ['results', 'plugin/runs/first/state.json'],
    ['hidden folders', 'plugin/.cache/x.js'],
    ['other packages inside', 'plugin/inner/index.js'],
    ['the contents of published packages', 'plugin/node_modules/published/index.js'],
  ])('does not change with %s', (_, file) => {
    const module = plugin();
    put('plugin/inner/package.json', manifest('inner', '1.0.0'));
    const before = codeDigest([module]);
    put(file, 'export default 3;');
    expect(codeDigest([module])).toBe(before);
  });

  it('counts JSON where the code may read some', () => {
    const module = put('own/index.js', `import table from './table.json' with { type: 'json' };`);
    put('own/table.json', '[1]');
    const before = codeDigest([module]);
    put('own/table.json', '[2]');
    expect(codeDigest([module])).not.toBe(before);
  });

  it('covers several modules, in any order', () => {
    const [a, b] = [put('a/index.js', '1'), put('b/index.js', '2')];
    expect(codeDigest([a, b])).toBe(codeDigest([b, a]));
    expect(codeDigest([a, b])).not.toBe(codeDigest([a]));
  });

  it('is not given for code behind a link, nor for a module that is not there', () => {
    put('elsewhere/part.js', '1');
    symlinkSync(join(root, 'elsewhere'), put('own/index.js', '').replace('index.js', 'linked'));
    for (const text of [`import './linked/part.js';`, `require('./linked')`]) expect(codeDigest([put('own/index.js', text)])).toBeUndefined();
    expect(codeDigest([put('own/index.js', `import './index.js';`)])).toBeDefined();
    expect(codeDigest([join(root, 'own/gone.js')])).toBeUndefined();
  });

  it.each([`import '../elsewhere.js';`, `const x = await import("/tmp/x.js");`, `require('file:///x.cjs');`])('is not given for code that imports from outside: %s', (text) => {
    expect(codeDigest([put('own/index.js', text)])).toBeUndefined();
  });
});
