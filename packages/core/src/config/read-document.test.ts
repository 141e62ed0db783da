import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toPlain, type ConfigProblem } from './config-tree.js';
import { readDocument, readYaml, shownPath } from './read-document.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-read-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a text gives: its plain value, or its problems as `line:column text`. */
function read(text: string): unknown {
  const problems: ConfigProblem[] = [];
  const tree = readYaml(text, (line, column) => ({ place: `${line}:${column}`, folder: '/' }), problems);
  return problems.length > 0 ? problems.map((problem) => `${problem.place} ${problem.text}`) : tree && toPlain(tree);
}
const twice = 'this key is set twice in one map; keep one of them';

describe('values of a text', () => {
  it('are numbers, switches, texts and nothing as YAML 1.2 reads them', () => {
    expect(read('a: 1e-4\nb: 0x10\nc: true\nd: yes\ne: ~\nf: "1"\ng: .5\nh: 012\ni:\n')).toEqual({ a: 1e-4, b: 16, c: true, d: 'yes', e: null, f: '1', g: 0.5, h: 12, i: null });
  });
  it('may be written over several lines, with the line ends of Windows and a byte order mark', () => {
    expect(read('\ufeffa: >\r\n  one\r\n  two\r\nb:\r\n  - é 猫\r\n')).toEqual({ a: 'one two\n', b: ['é 猫'] });
  });
  it('may be infinite or no number; schemas tell', () => expect(read('[.inf, -.inf, .nan]')).toEqual([Infinity, -Infinity, NaN]));
  it('that have no place in configurations are refused', () => {
    expect(read('a: 1\nb: !!binary aGVsbG8=\n')).toEqual([expect.stringMatching(/^2:\d+ .+/)]);
  });
  it('with a tag that nobody knows are refused', () => expect(read('a: !python/object x\n')).toEqual([expect.stringMatching(/^1:4 this is not valid YAML: .*python.object/)]));
});

describe('keys of a text', () => {
  it('may be numbers and switches, which are called by their text', () => expect(read('1: a\ntrue: b\n')).toEqual({ 1: 'a', true: 'b' }));
  it('may bear names that objects have anyway', () => expect(Object.keys(read('__proto__: 1\nconstructor: 2\n') as object)).toEqual(['__proto__', 'constructor']));
  it('may be aliases of words', () => expect(read('a: &name x\n*name : 2\n')).toEqual({ a: 'x', x: 2 }));
  it.each([
    ['as they are written', 'a: 1\nb: 2\na: 3\n', '3:1'],
    ['as a number and a text', `1: a\n"1": b\n`, '2:1'],
    ['as a switch and a text', `true: a\n'true': b\n`, '2:1'],
    ['as a word and an alias of it', 'a: &k a\n*k : 2\n', '2:1'],
  ])('that are equal are refused: %s', (_, text, place) => expect(read(text)).toEqual([`${place} ${twice}`]));
  it.each([
    ['a map', '? { a: 1 }\n: 2\n', '1:3'],
    ['a list', '? [1, 2]\n: 2\n', '1:3'],
    ['nothing', '~: 2\n', '1:1'],
  ])('that are %s are refused', (_, text, place) => expect(read(text)).toEqual([`${place} a key must be a single word`]));
});

describe('mistakes of one text', () => {
  it('are told together, each with line and column', () => {
    expect(read('a: 1\na: 2\nb: { c: 1, c: 2 }\n')).toEqual([`2:1 ${twice}`, `3:12 ${twice}`]);
  });
});

describe('files', () => {
  const problemsOf = (name: string, text?: string): string[] => {
    if (text !== undefined) writeFileSync(join(folder, name), text);
    const problems: ConfigProblem[] = [];
    expect(readDocument(join(folder, name), problems)).toBeUndefined();
    return problems.map((problem) => `${problem.place.replace(`${folder}/`, '')}: ${problem.text}`);
  };
  it('that are no maps are refused', () => {
    expect(problemsOf('empty.yaml', '')).toEqual(['empty.yaml: the file is empty, a map of settings is expected']);
    expect(problemsOf('comment.yaml', '# only this\n---\n')).toEqual(['comment.yaml: the file is empty, a map of settings is expected']);
    expect(problemsOf('list.yaml', '\n- 1\n')).toEqual(['list.yaml:2:1: the file holds a list, a map of settings is expected']);
    expect(problemsOf('word.yaml', 'word')).toEqual(['word.yaml:1:1: the file holds a single value, a map of settings is expected']);
  });
  it('that cannot be read are told of', () => {
    mkdirSync(join(folder, 'inside'));
    expect(problemsOf('inside')).toEqual(['inside: this is a folder, a YAML file is expected']);
    expect(problemsOf('gone.yaml')).toEqual(['gone.yaml: there is no such file']);
  });
  it('are called by their way from here where they lie inside, else by their whole path', () => {
    expect(shownPath(join(process.cwd(), 'runs', 'a.yaml'))).toBe(join('runs', 'a.yaml'));
    expect(shownPath(join(process.cwd(), '..', 'a.yaml'))).toBe(join(process.cwd(), '..', 'a.yaml'));
    expect(relative(folder, shownPath(join(folder, 'b.yaml')))).toBe('b.yaml');
  });
});
