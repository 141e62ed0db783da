import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyOrigin, mergeNodes, nodeAt, originOf, toPlain, type ConfigMap, type ConfigNode } from './config-tree.js';
import { applyOverrides } from './overrides.js';
import { readYaml } from './read-document.js';

/** A tree of YAML text; places are `name:line:column`. */
const tree = (text: string, name = 'f'): ConfigMap => readYaml(text, (line, column) => ({ place: `${name}:${line}:${column}`, folder: '/' }), []) as ConfigMap;
const merged = (base: string, over: string): unknown => toPlain(mergeNodes(tree(base), tree(over)));

describe('reading', () => {
  it('keeps the values of any plain data', () => {
    const plain = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue());
    fc.assert(
      fc.property(plain, (value) => {
        // Compared as JSON, which writes -0 as 0.
        expect(JSON.stringify(toPlain(tree(JSON.stringify(value))))).toBe(JSON.stringify(value));
      }),
    );
  });
  it('notes where keys and values stand', () => {
    const root = tree('a: 1\nb:\n  - c: x\n');
    expect(originOf(root, ['b', 0, 'c']).place).toBe('f:3:8');
    expect(keyOrigin(root, ['b', 0, 'c']).place).toBe('f:3:5');
  });
  it('places what is missing at the key that should hold it', () => {
    const root = tree('a: { b: {} }\n');
    expect(originOf(root, ['a', 'b', 'c', 'd']).place).toBe('f:1:6');
    expect(originOf(root, ['z']).place).toBe('f:1:1');
  });
});

describe('merging', () => {
  it('goes key by key in maps', () => expect(merged('a: { x: 1, y: 2 }\nb: 1', 'a: { y: 3, z: 4 }')).toEqual({ a: { x: 1, y: 3, z: 4 }, b: 1 }));
  it('replaces lists', () => expect(merged('a: [1, 2]', 'a: [3]')).toEqual({ a: [3] }));
  it('replaces a map by a single value, and the other way round', () => {
    expect(merged('a: { b: 1 }', 'a: 2')).toEqual({ a: 2 });
    expect(merged('a: 2', 'a: { b: 1 }')).toEqual({ a: { b: 1 } });
  });
  it('replaces a plugin by another, but adds to the same one', () => {
    expect(merged('m: { plugin: a, x: 1 }', 'm: { plugin: b }')).toEqual({ m: { plugin: 'b' } });
    expect(merged('m: { plugin: a, x: 1 }', 'm: { plugin: a, y: 2 }')).toEqual({ m: { plugin: 'a', x: 1, y: 2 } });
    expect(merged('m: { plugin: a, x: 1 }', 'm: { y: 2 }')).toEqual({ m: { plugin: 'a', x: 1, y: 2 } });
  });
  it('keeps the place of each value, whichever file it came from', () => {
    const root = mergeNodes(tree('a: { x: 1, y: 2 }', 'base'), tree('a: { y: 3 }', 'own'));
    expect([originOf(root, ['a', 'x']).place, originOf(root, ['a', 'y']).place]).toEqual(['base:1:9', 'own:1:9']);
  });
  it('changes nothing when a tree is laid on itself', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue()), (value) => {
        const root = tree(JSON.stringify(value));
        expect(toPlain(mergeNodes(root, root))).toEqual(toPlain(root));
      }),
    );
  });
});

describe('overrides', () => {
  const set = (text: string, ...overrides: string[]): unknown => toPlain(applyOverrides(tree(text), overrides, '/', []));
  it('make the maps on their way', () => expect(set('a: 1', 'b.c.d=2')).toEqual({ a: 1, b: { c: { d: 2 } } }));
  it('fill what is empty', () => expect(set('a:\nb: []', 'a.x=1', 'b.0=2')).toEqual({ a: { x: 1 }, b: [2] }));
  it('start a list at 0', () => expect(set('a: 1', 'b.0.c=2')).toEqual({ a: 1, b: [{ c: 2 }] }));
  it('are applied in order', () => expect(set('a: 1', 'a=2', 'a=3')).toEqual({ a: 3 }));
  it('keep equals signs of the value', () => expect(set('a: 1', 'a=x=y')).toEqual({ a: 'x=y' }));
  it('leave the tree they are laid on alone', () => {
    const root = tree('a: { b: [1] }');
    applyOverrides(root, ['a.b.0=2'], '/', []);
    expect(toPlain(root)).toEqual({ a: { b: [1] } });
  });
  it('are named as the place of what they set', () => {
    const root: ConfigNode = applyOverrides(tree('a: 1'), ['a=2'], '/', []);
    expect(originOf(root, ['a']).place).toBe('--set a=2');
    expect(nodeAt(root, ['a', 'b'])).toBeUndefined();
  });
});
