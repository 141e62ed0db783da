import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expandSweep } from './expand-sweep.js';
import { loadSweep, SweepFile, type Sweep } from './sweep-file.js';
import type { SweepResults } from './sweep-results.js';
import { formatSweep, sweepCells } from './sweep-table.js';

const sweep = (more: object): Sweep => SweepFile.parse({ sweep: { base: 'mae/mnist-quickstart', evaluate: [{ protocol: 'knn', labels: 10 }, { name: 'lin', protocol: 'linear', set: { epochs: 3 } }], ...more } }).sweep;

describe('a sweep', () => {
  it('has every combination of its variants and values, the last key changing fastest', () => {
    const rows = expandSweep(sweep({ variants: { full: { set: { wrap: [] } }, pr: {} }, grid: { 'train.lr': [0.1, 0.2] } }));
    expect(rows.map(({ label }) => label)).toEqual(['full, train.lr 0.1', 'full, train.lr 0.2', 'pr, train.lr 0.1', 'pr, train.lr 0.2']);
    expect(rows[1]?.experiments[0]?.set).toEqual(['wrap=[]', 'train.lr=0.2', 'seed=0']);
  });

  it('lays its own keys below those of a variant', () => {
    const rows = expandSweep(sweep({ set: { 'train.batch': 8 }, variants: { small: { set: { 'train.batch': 4 } } } }));
    expect(rows[0]?.experiments[0]?.set).toEqual(['train.batch=8', 'train.batch=4', 'seed=0']);
  });

  it('runs each row once a seed, evaluations with the seed of the row', () => {
    const [row] = expandSweep(sweep({ seeds: [0, 7] }));
    expect(row?.experiments.map(({ id, set, evaluations }) => [id, set, evaluations.map(({ seed }) => seed)])).toEqual([
      ['base, seed 0', ['seed=0'], [0, 0]],
      ['base, seed 7', ['seed=7'], [7, 7]],
    ]);
  });

  it('asks a variant only what it names', () => {
    const rows = expandSweep(sweep({ variants: { scratch: { pretrain: false, evaluate: ['lin'] } } }));
    expect(rows[0]?.experiments[0]).toMatchObject({ pretrain: false, evaluations: [{ name: 'lin', protocol: 'linear', labels: 'all', set: ['epochs=3'] }] });
  });

  it('is one row where nothing varies', () => {
    const rows = expandSweep(sweep({}));
    expect(rows.map(({ label, axes }) => [label, axes])).toEqual([['base', {}]]);
    expect(rows[0]?.experiments[0]).toMatchObject({ id: 'base', config: 'mae/mnist-quickstart', pretrain: true, evaluations: [{ name: 'knn', labels: '10' }, { name: 'lin', labels: 'all' }] });
  });

  it('has as many rows as variants and values make, each with a label of its own', () => {
    const few = fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), few, few, (count, a, b) => {
        const variants = Object.fromEntries(Array.from({ length: count }, (_, at) => [`v${at}`, {}]));
        const labels = expandSweep(sweep({ variants, grid: { 'train.batch': a, 'train.epochs': b } })).map(({ label }) => label);
        expect(new Set(labels).size).toBe(count * a.length * b.length);
      }),
    );
  });

  it('names values of any kind in its axes', () => {
    const axes = expandSweep(sweep({ grid: { a: ['word', 1, null, [{ b: 2 }]] } })).map((row) => row.axes['a']);
    expect(axes).toEqual(['word', '1', 'null', '[{"b":2}]']);
  });

  it('writes values so that an override reads them back', () => {
    const wrap = [{ plugin: 'pr-mim', throw: 0.5 }];
    expect(expandSweep(sweep({ grid: { wrap: [wrap] } }))[0]?.experiments[0]?.set[0]).toBe('wrap=[{"plugin":"pr-mim","throw":0.5}]');
  });
});

describe('the file of a sweep', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimlab-sweep-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const file = (text: string): string => {
    const path = join(folder, 'sweep.yaml');
    writeFileSync(path, text);
    return path;
  };

  it('names a preset, or a configuration beside it', () => {
    expect(loadSweep(file('sweep: { base: mae/mnist-quickstart, evaluate: [{ protocol: knn }] }')).base).toMatch(/presets\/mae\/mnist-quickstart\.yaml$/);
    writeFileSync(join(folder, 'own.yaml'), '');
    expect(loadSweep(file('sweep: { base: own.yaml, evaluate: [{ protocol: knn }] }')).base).toBe(join(folder, 'own.yaml'));
  });

  it('is refused with the name of a base that is not there', () => {
    expect(() => loadSweep(file('sweep: { base: mae/nothing, evaluate: [{ protocol: knn }] }'))).toThrow(`there is no configuration or preset 'mae/nothing'`);
  });

  it('is refused where two evaluations have one name, or a variant asks for one that is not there', () => {
    expect(() => loadSweep(file('sweep:\n  base: mae/mnist-quickstart\n  evaluate:\n    - { protocol: knn }\n    - { protocol: knn, labels: 10 }\n'))).toThrow(/sweep\.yaml:5:\d+: sweep\.evaluate\.1\.name: two evaluations are called 'knn'/);
    expect(() => loadSweep(file('sweep: { base: x, evaluate: [{ protocol: knn }], variants: { a: { evaluate: [linear] } } }'))).toThrow(`there is no evaluation 'linear', there are knn`);
    expect(() => loadSweep(file('sweep: { base: x, evaluate: [{ protocol: knn }], seeds: [1, 1] }'))).toThrow('a seed is named twice');
  });
});

describe('a sweep is refused', () => {
  const problems = (more: object): string[] => SweepFile.safeParse({ sweep: { base: 'x', evaluate: [{ protocol: 'knn' }], ...more } }).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

  it.each<[string, object, RegExp]>([
    ['without anything to ask', { evaluate: [] }, /^sweep\.evaluate: /],
    ['with variants that are none', { variants: {} }, /^sweep\.variants: name a variant, or leave the key out$/],
    ['with a key of no value', { grid: { 'train.lr': [] } }, /^sweep\.grid\.train\.lr: /],
    ['with a value named twice', { grid: { wrap: [[], [{ plugin: 'pr-mim' }], []] } }, /^sweep\.grid\.wrap: a value is named twice$/],
    ['with a seed that is no whole number', { seeds: [0.5] }, /^sweep\.seeds\.0: /],
    ['with a negative seed', { seeds: [-1] }, /^sweep\.seeds\.0: /],
    ['without a seed', { seeds: [] }, /^sweep\.seeds: /],
    ['with an empty title', { title: '' }, /^sweep\.title: /],
    ['with a key that it does not know', { seed: 1 }, /^sweep: .*seed/],
    ['where a variant asks nothing', { variants: { a: { evaluate: [] } } }, /^sweep\.variants\.a\.evaluate: /],
  ])('%s', (_, more, message) => {
    expect(problems(more)).toEqual([expect.stringMatching(message)]);
  });

  it('where a seed stands among its keys, which would do nothing', () => {
    expect(problems({ set: { seed: 1 }, grid: { seed: [1, 2] }, variants: { a: { set: { seed: 3 } } } })).toEqual(['set', 'grid', 'variants.a.set'].map((place) => `sweep.${place}.seed: name seeds under 'seeds': every row is run with each`));
  });
});

const results: SweepResults = {
  title: 'Two',
  evaluations: [{ name: 'knn', protocol: 'knn', labels: 'all', set: {} }],
  rows: [
    {
      label: 'full',
      axes: { variant: 'full' },
      seeds: [0, 1],
      evaluations: { knn: { mean: 0.5, spread: 0.01, seeds: 2, each: [0.49, 0.51] } },
      gmacs: 0.0123456,
      pretrain: { loss: { mean: 0.25, seeds: 1 }, seconds: { mean: 12.4, seeds: 1 }, images: 128 },
      cost: { seconds: 0.1, timeRatio: { median: 0.9, low: 0.8, high: 1 }, peakBytes: 2e6, peakRatio: 0.5 },
    },
    { label: 'scratch', axes: { variant: 'scratch' }, seeds: [0, 1], evaluations: {} },
  ],
};

describe('the results of a sweep', () => {
  it('show mean and spread in percent, and a dash for what a row has not', () => {
    const [head, full, scratch] = sweepCells(results);
    expect(head?.slice(0, 2)).toEqual(['variant', 'knn, %']);
    expect(full?.slice(0, 5)).toEqual(['full', '50.00 ± 1.00', '0.2500', '12', '0.01235']);
    expect(full).toContain('0.900 (0.800-1.000)');
    expect(scratch?.slice(1).every((cell) => cell === '-')).toBe(true);
  });

  it('leave out columns that no row has', () => {
    expect(sweepCells({ ...results, rows: results.rows.slice(1) })).toEqual([['variant'], ['scratch']]);
  });

  it('have a column for each key of the grid, and their label where nothing varies', () => {
    const rows = [{ label: 'a 1, b x', axes: { a: '1', b: 'x' }, seeds: [0], evaluations: {} }];
    expect(sweepCells({ ...results, rows })).toEqual([['a', 'b'], ['1', 'x']]);
    expect(sweepCells({ ...results, rows: [{ label: 'base', axes: {}, seeds: [0], evaluations: {} }] })).toEqual([['row'], ['base']]);
  });

  it('show what a step costs beside that of the first row', () => {
    const [head, full] = sweepCells(results);
    const cost = Object.fromEntries((head ?? []).map((name, at) => [name, full?.[at]]));
    expect(cost).toMatchObject({ 's a step': '0.100', 'step time over the first row': '0.900 (0.800-1.000)', [`step's own peak, MB`]: '2.0', 'over the first row': '0.500', 'forward GMACs an image': '0.01235' });
  });

  it('keep what a cell holds apart from what ends it', () => {
    const odd = (label: string): SweepResults => ({ ...results, rows: [{ label, axes: {}, seeds: [0], evaluations: {} }] });
    expect(formatSweep(odd('a|b'), 'markdown', () => [])).toBe('| row |\n| --- |\n| a\\|b |');
    expect(formatSweep(odd('say "a, b"'), 'csv', () => [])).toBe('row\n"say ""a, b"""');
    expect(formatSweep(odd('a\rb'), 'csv', () => [])).toBe('row\n"a\rb"');
  });

  it('come as Markdown, CSV, JSON and aligned text', () => {
    expect(formatSweep(results, 'markdown', () => [])).toMatch(/^\| variant \| knn, % \|[^]*\n\| --- \| --- \|/);
    expect(formatSweep(results, 'csv', () => []).split('\n')[0]).toContain('variant,"knn, %",loss');
    expect(JSON.parse(formatSweep(results, 'json', () => []))).toEqual(JSON.parse(JSON.stringify(results)));
    expect(formatSweep(results, 'terminal', (rows) => rows.map((row) => row[0] ?? ''))).toBe('Two\nvariant\nfull\nscratch');
  });
});
