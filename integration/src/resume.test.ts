import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomStream } from '@mimlab/core';
import { findTensorflow } from '@mimlab/engine';
import { newestCheckpoint, readMetrics } from '@mimlab/train';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killWhen, mimlab, MIMLAB, temporaryFolder, tinyConfig, writeTinyMnist, type Ended } from './cli-process.js';

/** 48 updates of two micro-batches, six an epoch, a checkpoint after every second one. */
const OVERRIDES = ['train.accumulate=2', 'train.epochs=8', 'train.checkpointEvery=2', 'train.keepCheckpoints=2', 'train.logEvery=1', 'data.workers=1'];
const UPDATES = 48;
/** Kills of one run: the first while it starts, the others while it trains. */
const KILLS = 3;
const LONG = 300_000;

let folder = '';

/** TEC with a teacher that starts at random: frozen parameters, stored once. */
const withTeacher = (config: string): string =>
  config.replace('plugin: mae', 'plugin: tec\n  teacher: { checkpoint: null, width: 8, depth: 1, heads: 2, lastLayers: 1 }\n  adapterBlocks: 1\n  topK: 3');
const fileOf = (method: string): string => join(folder, `${method}.yaml`);

beforeAll(async () => {
  folder = await temporaryFolder();
  const config = tinyConfig(await writeTinyMnist(join(folder, 'data'), 96));
  await writeFile(fileOf('mae'), config);
  await writeFile(fileOf('tec'), withTeacher(config));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Kind {
  readonly method: string;
  readonly engine: string;
}
const begin = (run: string, { method, engine }: Kind): string[] => ['pretrain', fileOf(method), '--output', run, ...[...OVERRIDES, `engine.kind=${engine}`].flatMap((override) => ['--set', override])];
/** A run that was killed before its configuration stood has nothing to resume: it begins again. */
const goOn = (run: string, kind: Kind): string[] => (existsSync(join(run, 'config.yaml')) ? ['pretrain', '--resume', run] : begin(run, kind));

const rowsIn = (run: string): number => {
  const path = join(run, 'metrics.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
};

const lastCheckpoint = (run: string): string => join(run, 'checkpoints', `step-${String(UPDATES).padStart(8, '0')}`);
const learnt = (run: string): Promise<Buffer[]> => Promise.all(['model.safetensors', 'optimizer.safetensors'].map((name) => readFile(join(lastCheckpoint(run), name))));
const history = async (run: string): Promise<unknown> =>
  (await readMetrics(join(run, 'metrics.jsonl'))).map(({ step, epoch, loss, parts, lr, gradNorm, paramNorm, updateNorm }) => ({ step, epoch, loss, parts, lr, gradNorm, paramNorm, updateNorm }));

const kinds: Kind[] = [
  { method: 'mae', engine: 'eager' },
  ...(findTensorflow() === undefined ? [] : [{ method: 'mae', engine: 'graph' }]),
  { method: 'tec', engine: 'eager' },
];

describe.each(kinds)('a run of $method on the $engine engine', (kind) => {
  const name = `${kind.method}-${kind.engine}`;
  let whole = '';

  beforeAll(async () => {
    whole = join(folder, `whole-${name}`);
    const { status, stderr } = await mimlab(begin(whole, kind));
    expect(status, stderr).toBe(0);
  }, LONG);

  it('killed again and again at any moment ends with the same weights, optimizer state and log, bit for bit', async () => {
    const seed = Date.now();
    const random = randomStream(seed, name);
    const run = join(folder, `killed-${name}`);
    const moments: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const before = rowsIn(run);
      // Rows beyond the checkpoint are dropped first, so counting begins below `before`.
      const rows = kill === 0 ? 0 : Math.max(1, before - 2) + random.int(12);
      const delay = random.uniform() * (kill === 0 ? 1500 : 40);
      let since: number | undefined;
      const died = await killWhen(goOn(run, kind), () => {
        if (since === undefined && rowsIn(run) >= rows) since = performance.now();
        return since !== undefined && performance.now() - since >= delay;
      });
      moments.push(`${died ? 'killed' : 'ended'} ${delay.toFixed(0)} ms after row ${rows}`);
    }
    const { status, stderr } = await mimlab(goOn(run, kind));
    const story = `seed ${seed}: ${moments.join(', ')}\n${stderr}`;
    expect(status, story).toBe(0);
    const [a, b] = [await learnt(run), await learnt(whole)];
    expect(a.map((file, i) => file.equals(b[i] as Buffer)), story).toEqual([true, true]);
    expect(await history(run), story).toEqual(await history(whole));
    expect((await readdir(join(run, 'checkpoints'))).sort(), story).toEqual((await readdir(join(whole, 'checkpoints'))).sort());
  }, LONG);

  it('whose newest checkpoint is damaged goes on from the one before, and says so', async () => {
    const expected = await learnt(whole);
    await truncate(join(lastCheckpoint(whole), 'model.safetensors'), 1000);
    const { status, stderr } = await mimlab(['pretrain', '--resume', whole]);
    expect(status, stderr).toBe(0);
    expect(stderr).toContain(`${lastCheckpoint(whole)}: passed over, model.safetensors has 1000 bytes`);
    expect((await learnt(whole)).map((file, i) => file.equals(expected[i] as Buffer))).toEqual([true, true]);
  }, LONG);
});

describe('a run with a teacher', () => {
  it('stores the frozen parameters once, and says where they are missing', async () => {
    const run = join(folder, 'whole-tec-eager');
    const frozen = join(run, 'checkpoints', 'frozen');
    const [file, ...others] = await readdir(frozen);
    expect(others).toEqual([]);
    const aside = join(folder, file as string);
    await rename(join(frozen, file as string), aside);
    const refused = await mimlab(['pretrain', '--resume', run]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(`${join(frozen, file as string)}: the frozen parameters of this run are missing`);
    expect(refused.stderr).not.toMatch(/\n\s+at /);
    await rename(aside, join(frozen, file as string));
    expect((await mimlab(['pretrain', '--resume', run])).status).toBe(0);
  }, LONG);
});

/** The command in a shell that lets no file grow beyond `blocks` of 512 bytes: what a full disk is, reached at will. */
function withFileLimit(args: readonly string[], blocks: number): Promise<Ended> {
  const child = spawn('sh', ['-c', `ulimit -f ${blocks}; exec "$@"`, 'sh', process.execPath, MIMLAB, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status, stdout, stderr });
    });
  });
}

describe.skipIf(process.platform === 'win32')('a file that cannot be written', () => {
  it('stops the run with one error that names it, keeps the checkpoints before, and the run can go on', async () => {
    const run = join(folder, 'full');
    const args = ['pretrain', fileOf('mae'), '--output', run, '--set', 'train.checkpointEvery=2', '--set', 'train.epochs=2'];
    // Stopped by a kill after a checkpoint, so that there is something to lose.
    await killWhen(args, () => rowsIn(run) >= 3);
    const before = await newestCheckpoint(join(run, 'checkpoints'));
    expect(before?.state.update).toBeGreaterThanOrEqual(2);
    const refused = await withFileLimit(['pretrain', '--resume', run], 24);
    expect(refused.status, refused.stderr).toBe(1);
    expect(refused.stderr).toMatch(/checkpoints\/step-\d{8}: the file would be larger than allowed/);
    expect(refused.stderr).toContain('earlier checkpoints are untouched');
    expect(refused.stderr).not.toMatch(/^\s+at /m);
    expect((await newestCheckpoint(join(run, 'checkpoints')))?.path).toBe(before?.path);
    const { status, stderr } = await mimlab(['pretrain', '--resume', run]);
    expect(status, stderr).toBe(0);
  }, LONG);
});
