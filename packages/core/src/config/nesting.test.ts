import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfigProblem } from './config-tree.js';
import { tooDeepAt } from './nesting.js';
import { readYaml } from './read-document.js';

const read = (text: string): { problems: ConfigProblem[]; tree: unknown } => {
  const problems: ConfigProblem[] = [];
  return { tree: readYaml(text, (line, column) => ({ place: `${line}:${column}`, folder: '.' }), problems), problems };
};
const indented = (levels: number): string => Array.from({ length: levels }, (_, level) => `${' '.repeat(level)}a:\n`).join('');

describe('the depth of a text', () => {
  it.each([
    ['brackets', 'a: [[[[1]]]]', 6],
    ['braces', '{a: {b: {c: {d: {e: 1}}}}}', 16],
    ['dashes on one line', '- - - - - a', 8],
    ['maps line by line', 'a:\n b:\n  c:\n   d:\n    e: 1', 22],
    ['lists of maps', '- a:\n   - b:\n      - c: 1', 19],
    ['question marks', '? ? ? ? ? a', 8],
    ['brackets in blocks', 'a:\n  b: [[[1]]]', 10],
  ])('is seen in %s', (_what, text, at) => {
    expect(tooDeepAt(text, 4)).toBe(at);
    expect(tooDeepAt(text, 40)).toBeUndefined();
  });

  it.each([
    ['texts in quotes', 'a: "[[[[[[["\nb: \'{{{{{{\''],
    ['comments', 'a: 1 # [[[[[[\n# - - - - -\n'],
    ['blocks of text', 'a: |\n  [[[[[[[\n  - - - - -\nb: 1'],
    ['long lists and maps', 'a: [1, [2], [3], [4], [5]]\nb:\n  - 1\n  - 2\n  - 3\n  - 4\nc: 1\nd: 2'],
    ['keys with values', 'a: 1\nb: x - y - z\nc: p ? q'],
  ])('is not seen in %s', (_what, text) => {
    expect(tooDeepAt(text, 4)).toBeUndefined();
  });

  it('is found at the first word that goes too deep, whatever the limit', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 50 }), (limit) => tooDeepAt('['.repeat(60), limit) === limit));
  });
});

describe('a document that is nested without end', () => {
  it.each([
    ['brackets', `seed: 0\nmethod: ${'['.repeat(20_000)}`, '2:108'],
    ['closed braces', `${'{a: '.repeat(20_000)}1${'}'.repeat(20_000)}`, '1:401'],
    ['dashes', `seed:\n  ${'- '.repeat(20_000)}1`, '2:201'],
    ['indented keys', indented(2_000), '101:101'],
  ])('is refused before it is parsed: %s', (_what, text, place) => {
    const { tree, problems } = read(text);
    expect(tree).toBeUndefined();
    expect(problems).toEqual([{ place, path: [], text: 'this is nested deeper than 100 levels' }]);
  });

  it('is refused where aliases lead deeper than the text is nested', () => {
    const links = Array.from({ length: 2_000 }, (_, link) => `a${link + 1}: &a${link + 1} [*a${link}]\n`);
    expect(read(`a0: &a0 [1]\n${links.join('')}`).problems.at(0)?.text).toBe('this is nested deeper than 100 levels');
  });

  it('leaves documents alone that stay within the depth', () => {
    expect(read(`a: ${'['.repeat(90)}${']'.repeat(90)}`).problems).toEqual([]);
    expect(read(indented(90)).problems).toEqual([]);
  });
});
