import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyRun, writeTinyDigits } from '../run/tiny-run.test-support.js';
import { trainRun } from '../run/train-run.js';
import { recordedTerminal } from '../terminal.test-support.js';
import { figure1, figure4, figure5, figure6, figure7, type PicturesOptions } from './figure.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-figure-'));
const at = (name: string): string => join(folder, name);
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const json = (name: string, value: unknown): string => {
  writeFileSync(at(name), JSON.stringify(value));
  return at(name);
};
const FILES = (number: number): string[] => ['vl.json', 'svg', 'png'].map((ending) => `figure-${number}.${ending}`);

describe('figure 1', () => {
  const row = (id: string, measured?: object) => ({ id, published: { top1: 81 }, analytic: { gmacs: 8 }, ...(measured === undefined ? {} : { measured }) });
  const table = (measured?: object) => ({ rows: Object.fromEntries(['t2-01', 't2-06', 't2-09'].map((id) => [id, row(id, measured)])) });

  it('is written as three files, and says where nothing was measured', async () => {
    const terminal = recordedTerminal();
    await figure1(json('published.json', table()), { output: at('one') }, terminal);
    expect(terminal.lines).toEqual(FILES(1).map((name) => join(at('one'), name)));
    expect(terminal.notes).toEqual(['nothing was measured: the figure shows published numbers only']);
    expect(readdirSync(at('one')).sort()).toEqual([...FILES(1)].sort());
  });

  it('says nothing of it where something was, and carries the title', async () => {
    const terminal = recordedTerminal();
    await figure1(json('measured.json', table({ top1: { mean: 60 } })), { output: at('titled'), title: 'Größen' }, terminal);
    expect(terminal.notes).toEqual([]);
    expect(readFileSync(join(at('titled'), 'figure-1.svg'), 'utf8')).toContain('Größen');
  });

  it('is refused for a file of another kind, and nothing is written', async () => {
    await expect(figure1(json('other.json', { rows: [] }), { output: at('none') }, recordedTerminal())).rejects.toThrow(/other\.json: [^]*mimlab table t2 --format json/);
    expect(existsSync(at('none'))).toBe(false);
  });
});

describe('figure 4', () => {
  const measured = { mean: 0.5, deviation: 0.1 };
  const groups = { encoder: { cosine: measured, relativeError: measured, scaleFreeError: measured, bias: measured, spread: measured } };
  const row = (method: string, sampler: string) => ({ method, throw: 0.5, sampler, weights: 'common', run: 'full', counts: { visible: 4, retained: 4, thrown: 8 }, groups, floor: groups });
  const file = (name: string, rows: readonly object[]) => json(name, { version: 1, settings: { batches: 1, batch: 1, plans: 1, seed: 0 }, engine: 'eager', rows });

  it('draws the methods that are asked for, and no others', async () => {
    const path = file('both.json', [row('partial', 'random'), row('progressive', 'furthest')]);
    await figure4(path, { output: at('four'), methods: 'progressive:furthest' }, recordedTerminal());
    const spec = readFileSync(join(at('four'), 'figure-4.vl.json'), 'utf8');
    expect(spec).toContain('progressive');
    expect(spec).not.toContain('partial');
  });

  it('takes a method and its sampler together', async () => {
    const path = file('crossed.json', [row('partial', 'random'), row('progressive', 'furthest')]);
    await expect(figure4(path, { output: at('none'), methods: 'partial:furthest' }, recordedTerminal())).rejects.toThrow(
      /crossed\.json: holds none of these methods\n {2}It has: partial:random, progressive:furthest\./,
    );
  });

  it('is refused where nothing was measured', async () => {
    await expect(figure4(file('empty.json', []), { output: at('none') }, recordedTerminal())).rejects.toThrow(/It has: \(none\)\./);
    expect(existsSync(at('none'))).toBe(false);
  });
});

describe('figure 5', () => {
  interface Cell {
    readonly row: number;
    readonly column: number;
    readonly role: string;
  }
  interface Spec {
    readonly hconcat: readonly { readonly data: { readonly values: readonly Cell[] } }[];
  }
  const roles = async (config: string, ...set: string[]): Promise<string[]> => {
    await figure5(config, { output: at('five'), set, seed: 0 }, recordedTerminal());
    const { hconcat } = JSON.parse(readFileSync(join(at('five'), 'figure-5.vl.json'), 'utf8')) as Spec;
    return hconcat.map(({ data }) => [...data.values].sort((a, b) => a.row - b.row || a.column - b.column).map(({ role }) => role[0]).join(''));
  };
  const count = (text: string | undefined, role: string): number => [...(text ?? '')].filter((each) => each === role).length;

  it('has the counts of the configuration under both samplers, whichever the configuration has', async () => {
    for (const set of [[], ['wrap=[{plugin: pr-mim, throw: 0.5, sampling: random}]']]) {
      const panels = await roles('mae/vit-b16-in1k-pr50', ...set);
      expect(panels.map((panel) => ['v', 'r', 't'].map((role) => count(panel, role)))).toEqual([[49, 49, 98], [49, 49, 98]]);
      expect(panels[0]).not.toBe(panels[1]);
    }
  });

  it('is refused for a configuration that throws nothing', async () => {
    await expect(figure5('mae/vit-b16-in1k', { output: at('none'), set: [], seed: 0 }, recordedTerminal())).rejects.toThrow(/mae\/vit-b16-in1k: throws no tokens.*\n.*pr-mim under 'wrap'/);
  });
});

it('figure 6 is drawn from accuracies in a file', async () => {
  const terminal = recordedTerminal();
  await figure6(json('six.json', { rows: [0, 2].map((blocks) => ({ series: 'MAE', blocks, accuracy: { mean: 70 + blocks } })) }), { output: at('six') }, terminal);
  expect(terminal.lines).toEqual(FILES(6).map((name) => join(at('six'), name)));
});

describe('figure 7', () => {
  const OPTIONS: PicturesOptions = { image: [], count: 1, seed: 0, statistics: 'visible', output: at('seven') };
  const draw = (runs: readonly string[], options: Partial<PicturesOptions> = {}): Promise<void> => figure7(runs, { ...OPTIONS, ...options }, recordedTerminal());
  beforeAll(async () => {
    const data = writeTinyDigits(at('digits'));
    const train = async (name: string, ...set: string[]) => trainRun({ context: await tinyRun(data, 'train.batch=12', ...set), output: at(name), resume: false, report: () => undefined });
    await train('a/run', 'wrap=[{plugin: pr-mim, throw: 0.5, sampling: random, reconstruction: partial}]');
    await train('b/run', 'wrap=[]');
    await train('half', 'wrap=[]', 'method.maskRatio=0.5');
  });

  it('names runs by as much of their path as tells them apart, and says what was left out', async () => {
    await draw([at('a/run'), at('b/run')]);
    const svg = readFileSync(join(at('seven'), 'figure-7.svg'), 'utf8');
    for (const name of ['a/run', 'b/run', 'dark grey: thrown, nothing was predicted there']) expect(svg).toContain(`>${name}<`);
  });

  it('says nothing of tokens left out where everything was predicted', async () => {
    await draw([at('b/run')], { output: at('whole') });
    expect(readFileSync(join(at('whole'), 'figure-7.svg'), 'utf8')).not.toContain('dark grey');
  });

  it('is refused for runs that hide other patches', async () => {
    await expect(draw([at('b/run'), at('half')], { output: at('none') })).rejects.toThrow(/half: hides other patches than 'run'\n.*mask ratio/);
    expect(existsSync(at('none'))).toBe(false);
  });

  it('is refused where names and runs differ in number', async () => {
    await expect(draw([at('b/run'), at('half')], { names: 'full' })).rejects.toThrow('--names: names 1 of 2 runs');
  });
});
