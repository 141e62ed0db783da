import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pageParts, readResults, rewriteMarked, rewritePage } from './page.mjs';
import { comparison, growth, ownPeer, peer, results } from './results.test-support.mjs';

describe('marked parts of a page', () => {
  const page = 'Before\n<!-- bench:a -->\n<!-- /bench -->\nbetween\n<!-- bench:b -->\nold\nfigures\n<!-- /bench -->\nafter';

  it('are replaced, and nothing else', () => {
    expect(rewriteMarked(page, { a: '1', b: '2\n3' })).toBe('Before\n<!-- bench:a -->\n1\n<!-- /bench -->\nbetween\n<!-- bench:b -->\n2\n3\n<!-- /bench -->\nafter');
  });

  it('stay as they are when written again', () => {
    const once = rewriteMarked(page, { a: '$& | $1', b: '' });
    expect(rewriteMarked(once, { a: '$& | $1', b: '' })).toBe(once);
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
    expect(new Set(Object.values(pageParts([])))).toEqual(new Set(['Not measured yet.']));
  });

  it('takes goals from their run, and methods from all selections', () => {
    const both = (method) => [comparison({ 'γ 0': ownPeer([1]), 'γ 0.5': ownPeer([0.5]) }, { method })];
    keep('b.json', results({ kind: 'selection', comparisons: both('mff') }));
    keep('c.json', results({ kind: 'selection', comparisons: both('tec') }));
    keep('a.json', results({ comparisons: [comparison({ eager: peer([2]), 'γ 0': ownPeer([1], { stepBytes: undefined }) })] }));
    const parts = pageParts(readResults(folder));
    expect(parts.goals).toMatch(/^Taken on .*\n\n\| what \| goal /);
    expect(parts.goals).toContain('| 0.50, against eager | yes |');
    expect(parts.pytorch).toContain('**0.50**, eager');
    expect(parts.methods).toMatch(/\| mff \|[^]*\| tec \|/);
    expect(parts.growth).toBe('Not measured yet.');
  });

  it('is written with its picture', async () => {
    keep('goals.json', results({ growth }));
    const page = join(folder, 'page.md');
    writeFileSync(page, ['goals', 'pytorch', 'loading', 'growth', 'methods'].map((name) => `<!-- bench:${name} -->\n<!-- /bench -->\n`).join(''));
    await rewritePage(page, folder);
    expect(readFileSync(page, 'utf8')).toContain('| 400 | 8 | 30 | 3.300 |');
    const svg = readFileSync(join(folder, 'growth.svg'), 'utf8');
    const texts = [...svg.matchAll(/<text[^>]*>([^<]+)</g)].map(([, text]) => text);
    expect(texts).toEqual(expect.arrayContaining(['measured', 'as the operations say', 'tokens an image (batch 8)', 'images a batch (196 tokens)', 'seconds a step']));
  });

  it('refuses results of another format', () => {
    keep('old.json', { format: 0 });
    expect(() => readResults(folder)).toThrow('old.json: format 0, 1 is expected');
  });

  it('of this project shows what its results files say', () => {
    const docs = fileURLToPath(new URL('../docs', import.meta.url));
    const page = readFileSync(join(docs, 'benchmarks.md'), 'utf8');
    const results = existsSync(join(docs, 'benchmarks')) ? readResults(join(docs, 'benchmarks')) : [];
    expect(rewriteMarked(page, pageParts(results))).toBe(page);
  });
});
