import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pageParts, readmeParts, readResults, rewriteMarked, rewritePages } from './page.mjs';
import { comparison, growth, ownPeer, peer, results } from './results.test-support.mjs';

describe('marked parts of a page', () => {
  const page = 'Before\n<!-- bench:a --><!-- /bench -->\nbetween <!-- bench:b -->0.9<!-- /bench --> after';

  it('are replaced, and nothing else', () => {
    expect(rewriteMarked(page, { a: '\n1\n', b: '0.8' })).toBe('Before\n<!-- bench:a -->\n1\n<!-- /bench -->\nbetween <!-- bench:b -->0.8<!-- /bench --> after');
  });

  it('stay as they are when written again', () => {
    const once = rewriteMarked(page, { a: '\n$& | $1\n', b: '' });
    expect(rewriteMarked(once, { a: '\n$& | $1\n', b: '' })).toBe(once);
    expect(once).toContain('\n$& | $1\n');
  });

  it('must be those that are written', () => {
    expect(() => rewriteMarked(page, { a: '1', b: '2', c: '3' })).toThrow('no mark for c');
    expect(() => rewriteMarked(page, { a: '1' })).toThrow('nobody writes: b');
  });
});

describe('the page of figures', () => {
  let folder;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'mimlab-page-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const keep = (name, value) => writeFileSync(join(folder, name), JSON.stringify(value));

  it('says what was not measured', () => {
    expect(new Set(Object.values(pageParts([])))).toEqual(new Set(['\nNot measured yet.\n']));
  });

  it('takes goals from their run, and methods from all selections', () => {
    const both = (method) => [comparison({ 'γ 0': ownPeer([1]), 'γ 0.5': ownPeer([0.5]) }, { method })];
    keep('b.json', results({ kind: 'selection', comparisons: both('mff') }));
    keep('c.json', results({ kind: 'selection', comparisons: both('tec') }));
    keep('a.json', results({ comparisons: [comparison({ eager: peer([2]), 'γ 0': ownPeer([1], { stepBytes: undefined }) })] }));
    const parts = pageParts(readResults(folder));
    expect(parts.goals).toMatch(/^\nTaken on .*\n\n\| what \| goal /);
    expect(parts.goals).toContain('| 0.500, against eager | yes |');
    expect(parts.pytorch).toContain('**0.50**, eager');
    expect(parts.methods).toMatch(/\| mff \|[^]*\| tec \|/);
    expect(parts.growth).toBe('\nNot measured yet.\n');
  });

  it('is written with its picture and the line of the README', async () => {
    const beside = (caseName) => comparison({ eager: peer([2]), 'γ 0': ownPeer([1.5]) }, { caseName });
    mkdirSync(join(folder, 'docs', 'benchmarks'), { recursive: true });
    keep('docs/benchmarks/goals.json', results({ growth, comparisons: [beside('small'), beside('vit-b16')] }));
    const page = join(folder, 'docs', 'benchmarks.md');
    writeFileSync(page, ['goals', 'pytorch', 'loading', 'growth', 'methods'].map((name) => `<!-- bench:${name} --><!-- /bench -->\n`).join(''));
    writeFileSync(join(folder, 'README.md'), 'takes <!-- bench:step -->1<!-- /bench --> of the time');
    await rewritePages(folder);
    expect(readFileSync(page, 'utf8')).toContain('| 400 | 8 | 30 | 3.300 |');
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe('takes <!-- bench:step -->0.75 and 0.75<!-- /bench --> of the time');
    const svg = readFileSync(join(folder, 'docs', 'benchmarks', 'growth.svg'), 'utf8');
    const texts = [...svg.matchAll(/<text[^>]*>([^<]+)</g)].map(([, text]) => text);
    expect(texts).toEqual(expect.arrayContaining(['measured', 'as the operations say', 'tokens an image (batch 8)', 'images a batch (196 tokens)', 'seconds a step']));
  });

  it('leaves the README alone where steps were not measured', () => {
    expect(readmeParts([results()])).toBeUndefined();
    expect(readmeParts([])).toBeUndefined();
  });

  it('refuses results of another format', () => {
    keep('old.json', { format: 0 });
    expect(() => readResults(folder)).toThrow('old.json: format 0, 1 is expected');
  });

  it('of this project shows what its results files say, and so does the README', () => {
    const file = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
    const all = readResults(file('docs/benchmarks'));
    const page = readFileSync(file('docs/benchmarks.md'), 'utf8');
    expect(rewriteMarked(page, pageParts(all))).toBe(page);
    const readme = readFileSync(file('README.md'), 'utf8');
    expect(rewriteMarked(readme, readmeParts(all) ?? { step: /<!-- bench:step -->(.*)<!-- \/bench -->/.exec(readme)?.[1] })).toBe(readme);
  });
});
