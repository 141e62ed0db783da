import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@mimlab/core';
import { afterAll, describe, expect, it } from 'vitest';
import { describeFailure } from './failure.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-failure-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What is said of what an action on files throws. */
function told(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return describeFailure(error, false).text;
  }
  return 'nothing went wrong';
}

describe('a refusal of the operating system', () => {
  it.each([
    ['a file that is missing', () => readFileSync(join(folder, 'gone')), /^error: .*gone: no such file or folder\.$/],
    ['a folder in place of a file', () => readFileSync(folder), /is a folder, a file is expected\.$/],
    ['a file in place of a folder to look into', () => readdirSync(join(folder, 'file')), /file: is a file, a folder is expected\.$/],
    ['a file in place of a folder to be made', () => mkdirSync(join(folder, 'file'), { recursive: true }), /file: is there already, and is no folder\.\n {2}Choose another place/],
    ['a name without end', () => readFileSync(join(folder, 'ä'.repeat(300))), /ä: the name is too long\.\n {2}Choose a shorter one\.$/],
  ])('is told in words: %s', (_, action, message) => {
    writeFileSync(join(folder, 'file'), '');
    const text = told(action);
    expect(text).toMatch(message);
    expect(text).not.toMatch(/defect|unexpected/);
  });

  it.each([
    ['ENOSPC', 'no space left on the disk', '--resume RUN'],
    ['EDQUOT', 'the disk quota is used up', '--resume RUN'],
    ['EACCES', 'permission denied', '--output'],
    ['EPERM', 'permission denied', '--output'],
    ['EROFS', 'the file system is read-only', '--output'],
    ['EMFILE', 'too many open files', 'data.workers'],
  ])('%s is "%s", with a remedy', (code, problem, remedy) => {
    const { text } = describeFailure(Object.assign(new Error(code), { code, path: '/läufe/a' }), false);
    expect(text).toContain(`error: /läufe/a: ${problem}`);
    expect(text.split('\n')[1]).toContain(remedy);
  });

  it('is told without a place where the system names none', () => {
    expect(describeFailure(Object.assign(new Error('EMFILE'), { code: 'EMFILE' }), false).text).toMatch(/^error: too many open files/);
  });

  it('of another kind keeps its own words', () => {
    expect(describeFailure(Object.assign(new Error('EIO: broken'), { code: 'EIO' }), false).text).toMatch(/^error: unexpected: EIO: broken\n/);
  });

  it('has its stack only on request', () => {
    const error = Object.assign(new Error('EACCES'), { code: 'EACCES' });
    expect(describeFailure(error, false).text).not.toContain('    at ');
    expect(describeFailure(error, true).text).toContain('    at ');
  });
});

describe('what nobody expected', () => {
  it.each([
    ['a text', 'lost', 'lost'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a number as code', { code: 5, toString: (): string => 'five' }, 'five'],
    ['an error without words', new RangeError(''), 'RangeError'],
    ['several errors at once', new AggregateError([]), 'AggregateError'],
  ])('may be %s', (_, thrown, summary) => {
    const { code, text } = describeFailure(thrown, false);
    expect(code).toBe(1);
    expect(text.split('\n')[0]).toBe(`error: unexpected: ${summary}`);
  });
});

it('the stack of a mistake of the user is shown on request', () => {
  const text = describeFailure(new ConfigError('no such key'), true).text;
  expect(text).toMatch(/^error: no such key\n/);
  expect(text).toContain('    at ');
});
