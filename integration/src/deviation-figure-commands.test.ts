import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createProgram, type Terminal } from '@mimlab/cli';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder, tinyConfig, writeTinyMnist } from './cli-process.js';

/** Runs the command in this process. @returns what it wrote */
async function mimlab(...args: string[]): Promise<{ readonly out: string[]; readonly notes: string[] }> {
  const [out, notes]: [string[], string[]] = [[], []];
  const terminal: Terminal = { live: false, columns: 200, out: (line) => out.push(line), note: (line) => notes.push(line), overwrite: () => undefined };
  await createProgram(terminal).parseAsync(['node', 'mimlab', ...args]);
  return { out, notes };
}

interface Quantity {
  readonly mean: number;
  readonly deviation: number;
}
interface Row {
  readonly method: string;
  readonly throw: number;
  readonly sampler: string;
  readonly weights: string;
  readonly run: string;
  readonly fit?: { readonly updates: number };
  readonly groups: Readonly<Record<string, Readonly<Record<string, Quantity>>>>;
  readonly floor: Readonly<Record<string, Readonly<Record<string, Quantity>>>>;
}

let root = '';
const at = (name: string): string => join(root, name);
beforeAll(async () => {
  root = await temporaryFolder();
  const config = at('tiny.yaml');
  await writeFile(config, tinyConfig(await writeTinyMnist(at('mnist'))));
  const runs = {
    full: 'wrap=[]',
    partial50: 'wrap.0={plugin: pr-mim, throw: 0.5, sampling: random, reconstruction: partial}',
    pr50: 'wrap.0.aggregator.kernel=3',
  };
  for (const [name, set] of Object.entries(runs)) await mimlab('pretrain', config, '--output', at(name), '--set', set, '--set', 'train.epochs=1');
}, 240_000);
afterAll(() => rm(root, { recursive: true, force: true }));

const rowsOf = async (folder: string): Promise<Row[]> => (JSON.parse(await readFile(join(at(folder), 'deviation.json'), 'utf8')) as { rows: Row[] }).rows;
const kinds = (rows: readonly Row[]): string[] => rows.map(({ method, sampler, throw: ratio, weights }) => `${method} ${sampler} ${ratio} ${weights}`);
const QUICK = ['--batches', '2', '--plans', '2'];

describe('mimlab deviation', () => {
  it('measures runs at their own weights, with the loss subset beside partial reconstruction', async () => {
    const { out } = await mimlab('deviation', at('partial50'), at('pr50'), '--output', at('own'), ...QUICK);
    const rows = await rowsOf('own');
    expect(kinds(rows)).toEqual(['subset random 0.5 own', 'partial random 0.5 own', 'progressive furthest 0.5 own']);
    for (const { groups, floor } of rows) {
      expect(Object.keys(groups)).toEqual(['encoder', 'embedding', 'early', 'decoder']);
      expect(groups['encoder']?.['relativeError']?.mean).toBeGreaterThan(0);
      expect(floor['encoder']?.['cosine']?.mean).toBeLessThan(1);
    }
    expect(out.join('\n')).toContain('| partial, random | 0.5 | partial50 |');
    for (const name of ['deviation.json', 'deviation.md', 'figure-4.vl.json', 'figure-4.svg', 'figure-4.png']) expect(existsSync(join(at('own'), name)), name).toBe(true);
  });

  it('compares methods at the weights of full reconstruction, their aggregation fitted', async () => {
    const options = ['--methods', 'partial:random,progressive:furthest', '--throw', '0.25,0.5', '--set', 'aggregator.kernel=3', '--fit', '6'];
    const { notes } = await mimlab('deviation', at('full'), '--output', at('common'), ...options, ...QUICK);
    const rows = await rowsOf('common');
    expect(kinds(rows)).toEqual(['partial random 0.25 common', 'partial random 0.5 common', 'progressive furthest 0.25 common', 'progressive furthest 0.5 common']);
    expect(rows.map(({ fit }) => fit?.updates)).toEqual([undefined, undefined, 6, 6]);
    expect(notes).toContain('progressive:furthest 0.5: fitting the aggregation, 6 updates');
    // One set of weights has one noise floor.
    expect(rows[3]?.floor).toEqual(rows[0]?.floor);
  });

  it('gives the same numbers again, and others for another seed', async () => {
    const error = async (folder: string, ...options: string[]): Promise<number | undefined> => {
      await mimlab('deviation', at('pr50'), '--output', at(folder), ...QUICK, ...options);
      return (await rowsOf(folder))[0]?.groups['encoder']?.['relativeError']?.mean;
    };
    const first = await error('first');
    expect(await error('again')).toBe(first);
    expect(await error('other', '--seed', '1')).not.toBe(first);
  });

  it('takes the weights that training starts with where it is asked to', async () => {
    await mimlab('deviation', at('pr50'), '--weights', 'init', '--output', at('init'), ...QUICK);
    const [start] = await rowsOf('init');
    expect(start?.weights).toBe('init');
    await mimlab('deviation', at('pr50'), '--output', at('end'), ...QUICK);
    expect((await rowsOf('end'))[0]?.groups['encoder']).not.toEqual(start?.groups['encoder']);
  });

  it('refuses weights that a run has not', async () => {
    await expect(mimlab('deviation', at('full'), '--weights', 'own', '--output', at('none'))).rejects.toThrow('the run throws no tokens');
    await expect(mimlab('deviation', at('pr50'), '--weights', 'common', '--output', at('none'))).rejects.toThrow('common weights are those of full reconstruction');
    expect(existsSync(at('none'))).toBe(false);
  });

  it('refuses what is no run, and settings that mean nothing', async () => {
    await expect(mimlab('deviation', at('nowhere'), '--output', at('none'))).rejects.toThrow('there is no such run');
    await expect(mimlab('deviation', at('full'), '--methods', 'progressive:nearest', '--output', at('none'))).rejects.toThrow('nearest');
    await expect(mimlab('deviation', at('full'), '--methods', 'progressive:random', '--set', 'criterion=max-sum', '--output', at('none'))).rejects.toThrow('criterion');
  });
});

describe('mimlab figure', () => {
  it('4 draws what deviation measured', async () => {
    await mimlab('deviation', at('pr50'), '--output', at('measured'), ...QUICK);
    const { out } = await mimlab('figure', '4', join(at('measured'), 'deviation.json'), '--output', at('figures'));
    expect(out).toEqual(['figure-4.vl.json', 'figure-4.svg', 'figure-4.png'].map((name) => join(at('figures'), name)));
    expect(await readFile(join(at('figures'), 'figure-4.svg'), 'utf8')).toBe(await readFile(join(at('measured'), 'figure-4.svg'), 'utf8'));
  });

  it('4 draws the methods that are asked for, and refuses those that were not measured', async () => {
    await mimlab('deviation', at('partial50'), '--output', at('two'), ...QUICK);
    const path = join(at('two'), 'deviation.json');
    await mimlab('figure', '4', path, '--methods', 'partial:random', '--output', at('one'));
    expect(await readFile(join(at('one'), 'figure-4.svg'), 'utf8')).not.toContain('loss subset');
    await expect(mimlab('figure', '4', path, '--methods', 'partial:furthest', '--output', at('none'))).rejects.toThrow('subset:random, partial:random');
  });

  it('5 keeps the mask and changes what is retained, and follows the seed', async () => {
    interface Cell {
      readonly row: number;
      readonly column: number;
      readonly role: string;
    }
    const cells = async (seed: string): Promise<Cell[][]> => {
      await mimlab('figure', '5', '--seed', seed, '--output', at(`five-${seed}`));
      const spec = JSON.parse(await readFile(join(at(`five-${seed}`), 'figure-5.vl.json'), 'utf8')) as { hconcat: { data: { values: Cell[] } }[] };
      return spec.hconcat.map(({ data }) => data.values);
    };
    const roles = (panel: readonly Cell[] | undefined, role: string): string => JSON.stringify(panel?.filter((cell) => cell.role === role).map(({ row, column }) => row * 14 + column).sort((a, b) => a - b));
    const [random, furthest] = await cells('0');
    expect(random).toHaveLength(196);
    expect(roles(furthest, 'visible')).toBe(roles(random, 'visible'));
    expect(roles(furthest, 'retained')).not.toBe(roles(random, 'retained'));
    const [other] = await cells('1');
    expect(roles(other, 'visible')).not.toBe(roles(random, 'visible'));
  });

  it('5 refuses a configuration that throws nothing', async () => {
    await expect(mimlab('figure', '5', 'mae/vit-b16-in1k', '--output', at('none'))).rejects.toThrow('throws no tokens');
  });

  it('7 puts the reconstructions of runs beside each other, under the names given', async () => {
    await mimlab('figure', '7', at('full'), at('pr50'), '--count', '2', '--names', 'full, PR-MIM', '--output', at('seven'));
    const svg = await readFile(join(at('seven'), 'figure-7.svg'), 'utf8');
    for (const name of ['original', 'visible', 'full', 'PR-MIM']) expect(svg).toContain(`>${name}<`);
    expect(svg.match(/data:image\/png/g)).toHaveLength(8);
  });

  it('7 refuses more names than runs', async () => {
    await expect(mimlab('figure', '7', at('full'), '--names', 'a,b', '--output', at('none'))).rejects.toThrow('names 2 of 1 runs');
  });

  it('shows the options of each figure alone', async () => {
    await expect(mimlab('figure', '4', 'x.json', '--seed', '1')).rejects.toThrow(`unknown option '--seed'`);
    await expect(mimlab('figure', '2')).rejects.toThrow(`unknown command '2'`);
  });
});
