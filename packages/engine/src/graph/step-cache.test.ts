import { appendFileSync, chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStepCache } from './step-cache.js';
import type { StepGraph } from './step-graph.js';

let root = '';
let folder = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mimlab-steps-'));
  folder = join(root, 'steps');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const graph = (size = 100): StepGraph => ({
  graphDef: Uint8Array.from({ length: size }, (_, i) => i % 251),
  inputs: [{ name: 'images', node: 'kept/Placeholder_1' }],
  scalars: 'kept/Placeholder_2',
  metrics: { node: 'kept/Pack_9', names: ['loss', 'größe'] },
  outputs: [],
  targets: ['kept/Assert_3'],
});
const fileOf = (key: string): string => join(folder, `${key}.step`);

describe('the cache of compiled steps', () => {
  it('gives back what was kept, to another process too', () => {
    createStepCache(folder, 1e6).store('a', graph());
    expect(createStepCache(folder, 1e6).load('a')).toEqual(graph());
  });

  it('has nothing under other keys, nor where there is no folder', () => {
    expect(createStepCache(folder, 1e6).load('a')).toBeUndefined();
    createStepCache(folder, 1e6).store('a', graph());
    expect(createStepCache(folder, 1e6).load('b')).toBeUndefined();
  });

  it('leaves nothing but the entry behind', () => {
    const cache = createStepCache(folder, 1e6);
    cache.store('a', graph());
    cache.store('a', graph(10));
    expect(readdirSync(folder)).toEqual(['a.step']);
    expect(cache.load('a')).toEqual(graph(10));
  });

  const damages: readonly (readonly [string, (file: string) => void])[] = [
    ['cut short', (file) => truncateSync(file, readFileSync(file).length - 1)],
    ['empty', (file) => truncateSync(file, 0)],
    ['longer than it was', (file) => appendFileSync(file, 'x')],
    ['of another version', (file) => writeFileSync(file, readFileSync(file).fill('2', 12, 13))],
    ...[60, 150, 240].map((at) => [`changed in byte ${at}`, (file: string) => writeFileSync(file, readFileSync(file).fill(255, at, at + 1))] as const),
  ];
  it.each(damages)('passes over an entry that is %s, and removes it', (_, damage) => {
    const cache = createStepCache(folder, 1e6);
    cache.store('a', graph());
    damage(fileOf('a'));
    expect(cache.load('a')).toBeUndefined();
    expect(existsSync(fileOf('a'))).toBe(false);
    cache.store('a', graph());
    expect(cache.load('a')).toEqual(graph());
  });

  it('does not take an entry that was put under another name', () => {
    const cache = createStepCache(folder, 1e6);
    cache.store('a', graph());
    writeFileSync(fileOf('b'), readFileSync(fileOf('a')));
    expect(cache.load('b')).toBeUndefined();
  });

  it('removes what was not used for longest when it grows too large', () => {
    const cache = createStepCache(folder, 3500);
    for (const key of ['a', 'b', 'c']) {
      cache.store(key, graph(800));
      utimesSync(fileOf(key), 1000, 1000 + key.charCodeAt(0));
    }
    cache.load('a');
    cache.store('d', graph(800));
    expect(readdirSync(folder).sort()).toEqual(['a.step', 'c.step', 'd.step']);
  });

  it('does not keep what is larger than all it may take', () => {
    createStepCache(folder, 500).store('a', graph(800));
    expect(existsSync(folder)).toBe(false);
  });

  it('clears away what a killed process left, not what another is writing', () => {
    const cache = createStepCache(folder, 1e6);
    cache.store('a', graph());
    for (const name of ['.old-1', '.new-2']) writeFileSync(join(folder, name), 'half');
    utimesSync(join(folder, '.old-1'), 1000, 1000);
    cache.store('b', graph());
    expect(readdirSync(folder).sort()).toEqual(['.new-2', 'a.step', 'b.step']);
  });

  it('is silent where nothing can be written', () => {
    writeFileSync(folder, 'a file where the folder should be');
    const cache = createStepCache(folder, 1e6);
    cache.store('a', graph());
    expect(cache.load('a')).toBeUndefined();
    chmodSync(folder, 0o600);
    expect(readFileSync(folder, 'utf8')).toBe('a file where the folder should be');
  });
});
