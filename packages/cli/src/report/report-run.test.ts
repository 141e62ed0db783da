import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { letterOf, openReportRuns, shortNames } from './report-run.js';

it('letters go on after Z', () => {
  expect([0, 1, 25, 26, 27, 52].map(letterOf)).toEqual(['A', 'B', 'Z', 'AA', 'AB', 'BA']);
});

it('no two runs have one letter', () => {
  const letters = Array.from({ length: 1000 }, (_, index) => letterOf(index));
  expect(new Set(letters).size).toBe(1000);
  expect(letters.at(-1)).toBe('ALL');
});

describe('names of runs', () => {
  it('are those of their folders', () => {
    expect(shortNames(['/runs/first', '/runs/second'])).toEqual(['first', 'second']);
  });

  it('take in as much of the path as tells them apart', () => {
    expect(shortNames(['/x/a/run', '/x/b/run', '/x/c/other'])).toEqual(['a/run', 'b/run', 'other']);
  });

  it('are whole paths where one ends like the other', () => {
    expect(shortNames(['/run', '/x/run'])).toEqual(['/run', 'x/run']);
  });

  it('tell any folders apart', () => {
    const part = fc.constantFrom('a', 'b', 'ж');
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(fc.uniqueArray(path, { minLength: 1, maxLength: 6 }), (paths) => {
        const names = shortNames(paths);
        expect(new Set(names).size).toBe(paths.length);
        names.forEach((name, at) => {
          expect(paths[at]?.endsWith(name)).toBe(true);
        });
      }),
    );
  });
});

describe('the runs of a report', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mimlab-report-run-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });
  const CONFIG = 'extends: mae/mnist-quickstart\nseed: 3 # of mine\n';
  const ROW = `${JSON.stringify({ step: 2, epoch: 0.5, loss: 1 })}\n`;

  function run(name: string, files: Readonly<Record<string, string>> = { 'metrics.jsonl': ROW }): string {
    const folder = join(root, name);
    mkdirSync(folder);
    for (const [file, text] of Object.entries({ 'config.yaml': CONFIG, ...files })) writeFileSync(join(folder, file), text);
    return folder;
  }
  const open = (...folders: string[]) => openReportRuns(folders, () => undefined);

  it('have their configuration, as text and loaded, and their log', async () => {
    const [opened] = await open(run('first'));
    expect(opened).toMatchObject({ letter: 'A', name: 'first', configText: CONFIG, checkpoints: [], environments: [], metrics: [{ step: 2, loss: 1 }] });
    expect(opened?.context.config.seed).toBe(3);
  });

  it('are opened once each, however they are named', async () => {
    const [first, second] = [run('first'), run('second')];
    symlinkSync(first, join(root, 'link'));
    const opened = await open(first, second, `${first}${sep}`, join(root, 'link'));
    expect(opened.map(({ letter, name }) => [letter, name])).toEqual([['A', 'first'], ['B', 'second']]);
  });

  it('have environments in the order of their parts, tenth after ninth', async () => {
    const parts = Object.fromEntries(['environment.json', ...[10, 9, 1].map((part) => `environment-resumed-${part}.json`)].map((name) => [name, JSON.stringify({ created: name })]));
    const [opened] = await open(run('first', { 'metrics.jsonl': ROW, ...parts, 'environment-other.json': '{ "created": "never" }' }));
    expect(opened?.environments.map(({ created }) => created)).toEqual(['environment.json', 'environment-resumed-1.json', 'environment-resumed-9.json', 'environment-resumed-10.json']);
  });

  it.each(['{', 'null', '[]', '3'])('leave out an environment that reads %s', async (text) => {
    const [opened] = await open(run('first', { 'metrics.jsonl': ROW, 'environment.json': text, 'environment-resumed-1.json': '{}' }));
    expect(opened?.environments).toEqual([{}]);
  });

  it('are refused where one has not begun, with the command that trains it', async () => {
    const fresh = run('fresh', {});
    await expect(open(run('first'), fresh)).rejects.toThrow(`fresh: the run has no checkpoint and no metrics yet\n  Train it first: mimlab pretrain --resume ${fresh}`);
  });

  it('tell what stands among checkpoints and is none', async () => {
    const folder = run('first');
    mkdirSync(join(folder, 'checkpoints', 'step-00000002'), { recursive: true });
    const notices: string[] = [];
    const [opened] = await openReportRuns([folder], (message) => notices.push(message));
    expect(opened?.checkpoints).toEqual([]);
    expect(notices).toEqual([expect.stringContaining('step-00000002')]);
  });
});
