import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { killWhen, mimlab, temporaryFolder, tinyConfig, writeTinyMnist } from './cli-process.js';

interface SweepOutput {
  readonly rows: readonly { readonly label: string; readonly evaluations: Readonly<Record<string, { readonly mean: number; readonly seeds: number; readonly each: readonly number[] }>>; readonly gmacs?: number; readonly pretrain?: { readonly images: number } }[];
}

let folder = '';
/** Two runs and an untrained encoder, with two seeds and with the first of them. */
let sweep = '';
let small = '';
const KNN = '{ protocol: knn, labels: 2, set: { k: 3 } }';

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder, 'tiny.yaml'), tinyConfig(await writeTinyMnist(join(folder, 'data'))));
  const text = (seeds: string): string => `sweep:\n  base: tiny.yaml\n  variants:\n    full: { set: { wrap: [] } }\n    pr: {}\n    untrained: { pretrain: false }\n  seeds: ${seeds}\n  evaluate: [${KNN}]\n`;
  [sweep, small] = ['sweep.yaml', 'small.yaml'].map((name) => join(folder, name)) as [string, string];
  await writeFile(sweep, text('[0, 1]'));
  await writeFile(small, text('[0]'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const finishedRuns = (store: string): string[] => (existsSync(join(store, 'runs')) ? readdirSync(join(store, 'runs')).filter((name) => existsSync(join(store, 'runs', name, 'finished.json'))) : []);
const runOf = async (args: readonly string[]): Promise<SweepOutput> => {
  const { status, stdout, stderr } = await mimlab(args);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as SweepOutput;
};

describe('mimlab sweep', () => {
  it('pre-trains and evaluates every combination, and finds what is done again', async () => {
    const store = join(folder, 'store');
    const args = ['sweep', sweep, '--store', store, '--processes', '2', '--format', 'json'];
    const first = await runOf(args);
    expect(first.rows.map(({ label }) => label)).toEqual(['full', 'pr', 'untrained']);
    for (const { evaluations } of first.rows) expect(evaluations['knn']).toMatchObject({ seeds: 2 });
    expect(first.rows[0]?.gmacs).toBeGreaterThan(first.rows[1]?.gmacs as number);
    expect(first.rows[0]?.pretrain?.images).toBe(64);
    expect(first.rows[2]?.pretrain).toBeUndefined();
    expect(finishedRuns(store)).toHaveLength(4);
    expect((await readdir(join(store, 'logs'))).length).toBe(10);

    const again = await mimlab(args);
    expect(JSON.parse(again.stdout)).toEqual(first);
    expect(again.stderr).not.toContain('pretrain');
  }, 240_000);

  it('goes on after it was killed, to the same numbers, and leaves no process behind', async () => {
    const store = join(folder, 'killed');
    const args = ['sweep', small, '--store', store, '--format', 'json'];
    const begun = (): string[] => (existsSync(join(store, 'runs')) ? readdirSync(join(store, 'runs')) : []);
    expect(await killWhen(args, () => finishedRuns(store).length === 1 && begun().length === 2)).toBe(true);
    // What it had started notices that nobody waits any more, keeps what it has done, and lets go of its folder.
    await vi.waitFor(
      () => {
        for (const name of begun()) expect(existsSync(join(store, 'runs', name, 'run.lock'))).toBe(false);
      },
      { timeout: 60_000, interval: 100 },
    );
    const resumed = await runOf(args);
    const whole = await runOf(['sweep', small, '--store', join(folder, 'store'), '--format', 'json']);
    expect(resumed.rows.map(({ evaluations }) => evaluations['knn']?.each)).toEqual(whole.rows.map(({ evaluations }) => evaluations['knn']?.each));
  }, 240_000);

  it('stops at Ctrl-C with everything kept', async () => {
    const store = join(folder, 'stopped');
    let sent = false;
    const { status, stderr } = await mimlab(['sweep', small, '--store', store], {
      watch: (child, text) => {
        if (sent || !text.includes('1/')) return;
        sent = true;
        child.kill('SIGINT');
      },
    });
    expect(status, stderr).toBe(130);
    expect(stderr).toContain('the same command goes on');
    expect(finishedRuns(store).length).toBeGreaterThan(0);
    for (const name of readdirSync(join(store, 'runs'))) expect(existsSync(join(store, 'runs', name, 'run.lock'))).toBe(false);
  }, 240_000);

  it('tells the mistakes of all experiments before the first one runs', async () => {
    const file = join(folder, 'wrong.yaml');
    await writeFile(file, `sweep:\n  base: tiny.yaml\n  grid: { train.batch: [0, 8, -1] }\n  evaluate: [${KNN}]\n`);
    const store = join(folder, 'wrong');
    const { status, stderr } = await mimlab(['sweep', file, '--store', store]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/train\.batch 0: [^]*train\.batch -1: /);
    expect(existsSync(store)).toBe(false);
  });

  it('says which job failed, why, and where its log is', async () => {
    const file = join(folder, 'failing.yaml');
    await writeFile(file, `sweep:\n  base: tiny.yaml\n  set: { data.path: ${join(folder, 'nowhere')} }\n  evaluate: [${KNN}]\n`);
    const { status, stderr } = await mimlab(['sweep', file, '--store', join(folder, 'failing')]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/failing\/logs\/mae-[^]*\.log: base: pretrain failed with exit code 1:[^]*nowhere/);
  });
});

describe('mimlab table', () => {
  it('measures rows at a scale of the user, over seeds, and prints them beside the published ones', async () => {
    const scale = join(folder, 'scale.yaml');
    await writeFile(scale, `title: tiny digits\nepochs: 1\nkernel: 3\nbases:\n  MAE:\n    ViT-B/16: { preset: tiny.yaml, set: { train.warmupEpochs: 0 } }\nevaluate:\n  - ${KNN}\n`);
    const args = ['table', 't2', '--scale', scale, '--rows', 't2-01,t2-09', '--seeds', '2', '--store', join(folder, 'table'), '--no-cost', '--format', 'json'];
    const { status, stdout, stderr } = await mimlab(args);
    expect(status, stderr).toBe(0);
    const rows = Object.values((JSON.parse(stdout) as { rows: Readonly<Record<string, { id: string; published: Record<string, unknown>; analytic: Record<string, number>; measured: { top1: { mean: number; seeds: number } } }>> }).rows);
    expect(rows.map(({ id }) => id)).toEqual(['t2-01', 't2-09']);
    expect(rows[1]?.published['top1']).toBe(81.8);
    expect(rows[1]?.analytic['gmacs']).toBeCloseTo(7.082, 2);
    for (const { measured } of rows) expect(measured.top1).toMatchObject({ seeds: 2 });
    expect(readFileSync(join(folder, 'table', 'logs', readdirSync(join(folder, 'table', 'logs'))[0] as string), 'utf8')).toContain('$ mimlab ');
  }, 240_000);

  it('writes it to a file, in the format asked for', async () => {
    const output = join(folder, 't3.md');
    const { status, stdout } = await mimlab(['table', 't3', '--analytic', '--format', 'markdown', '--output', output]);
    expect([status, stdout]).toEqual([0, `${output}\n`]);
    expect(await readFile(output, 'utf8')).toContain('| t3-01 |');
  });

  it.each([
    [['t2', '--quick'], 'nothing is measured without a scale'],
    [['t2', '--analytic', '--scale', 'mnist'], 'one asks for computed columns only'],
    [['t9', '--scale', 'mnist'], 't9 cannot be measured at a scale'],
    [['t2', '--scale', 'imagenet'], `there is no scale 'imagenet'`],
    [['t1'], `there is no table 't1'`],
    [['t2', '--rows', 't2-77'], `'t2-77' is no row of t2`],
  ])('refuses %j', async (args, message) => {
    const { status, stderr } = await mimlab(['table', ...args]);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });
});
