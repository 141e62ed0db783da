import { existsSync, readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors } from '@mimlab/core';
import { findTensorflow } from '@mimlab/engine';
import { readMetrics } from '@mimlab/train';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killWhen, mimlab, temporaryFolder, tinyConfig, writeTinyMnist } from './cli-process.js';

/** Four updates an epoch; attention is gathered at the ends of epochs 0 and 2, for epochs 1 and 3. */
const OVERRIDES = ['train.epochs=5', 'train.checkpointEvery=3', 'wrap.0.refreshFrom=0', 'wrap.0.refreshEvery=2', 'data.workers=1'];
const FAITHFUL = ['wrap.0.sampling=amt', 'wrap.0.variant=faithful', 'wrap.0.amtMaskRatio=0.45', 'wrap.0.throw=0.4'];
const LONG = 300_000;

let folder = '';
let config = '';
beforeAll(async () => {
  folder = await temporaryFolder();
  config = join(folder, 'tiny.yaml');
  await writeFile(config, tinyConfig(await writeTinyMnist(join(folder, 'data'), 36)));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const args = (run: string, ...overrides: string[]): string[] => ['pretrain', config, '--output', run, ...[...OVERRIDES, ...overrides].flatMap((override) => ['--set', override])];
const rowsIn = (run: string): number => (existsSync(join(run, 'metrics.jsonl')) ? readFileSync(join(run, 'metrics.jsonl'), 'utf8').split('\n').length - 1 : 0);
const FILES = ['model.safetensors', 'optimizer.safetensors', 'sampler-state.safetensors'];
const learnt = (run: string): Promise<Buffer[]> => Promise.all(FILES.map((name) => readFile(join(run, 'checkpoints', 'step-00000020', name))));
const same = (a: readonly Buffer[], b: readonly Buffer[]): boolean[] => a.map((file, i) => file.equals(b[i] as Buffer));

const kinds = ['eager', ...(findTensorflow() === undefined ? [] : ['graph'])];

describe.each(kinds)('training that follows attention on the %s engine', (kind) => {
  const engine = `engine.kind=${kind}`;

  it('as released: masks of the method until attention is gathered, then AMT’s; killed and resumed, the same bit for bit', async () => {
    const whole = join(folder, `whole-${kind}`);
    const { status, stderr } = await mimlab(args(whole, engine, ...FAITHFUL));
    expect(status, stderr).toBe(0);
    expect(stderr).toContain('attention to 36 whole images gathered before epoch 1');
    expect(stderr).toContain('gathered before epoch 3');
    expect(stderr).not.toContain('before epoch 2');
    expect((await readMetrics(join(whole, 'metrics.jsonl'))).every(({ loss }) => Number.isFinite(loss))).toBe(true);

    const stopped = join(folder, `stopped-${kind}`);
    // In the middle of an epoch with attention, and at or about the moment when it is gathered anew.
    expect(await killWhen(args(stopped, engine, ...FAITHFUL), () => rowsIn(stopped) >= 6)).toBe(true);
    expect(await killWhen(['pretrain', '--resume', stopped], () => rowsIn(stopped) >= 12)).toBe(true);
    const resumed = await mimlab(['pretrain', '--resume', stopped]);
    expect(resumed.status, resumed.stderr).toBe(0);
    expect(same(await learnt(stopped), await learnt(whole))).toEqual([true, true, true]);
  }, LONG);

  it('is drawn with masks that follow attention to the images at hand, once the checkpoint holds attention', async () => {
    const attentive = await mimlab(['reconstruct', join(folder, `whole-${kind}`), '--count', '2']);
    expect(attentive.status, attentive.stderr).toBe(0);
    expect(attentive.stderr).toContain('masks follow the attention of these weights to each image: V 3 visible, K 7 retained, T 6 thrown');

    const early = join(folder, `early-${kind}`);
    expect((await mimlab(args(early, engine, ...FAITHFUL, 'train.epochs=1'))).status).toBe(0);
    const plain = await mimlab(['reconstruct', early, '--count', '2']);
    expect(plain.status, plain.stderr).toBe(0);
    expect(plain.stderr).not.toContain('attention');
  }, LONG);

  it('with the counts of other samplers, whatever the number of workers', async () => {
    const runs = [0, 2].map((workers) => ({ run: join(folder, `workers-${workers}-${kind}`), workers }));
    for (const { run, workers } of runs) {
      const { status, stderr } = await mimlab(args(run, engine, 'wrap.0.sampling=amt', `data.workers=${workers}`));
      expect(status, stderr).toBe(0);
    }
    const [one, other] = await Promise.all(runs.map(({ run }) => learnt(run)));
    expect(same(one as Buffer[], other as Buffer[])).toEqual([true, true, true]);
    const { tensors, metadata } = await readSafetensors(join(folder, `workers-0-${kind}`, 'checkpoints', 'step-00000020', 'sampler-state.safetensors'));
    expect(metadata).toEqual({ version: '3' });
    expect(tensors['values']?.shape).toEqual([36, 16]);
    const values = [...(tensors['values']?.data ?? [])];
    expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(new Set(values).size).toBeGreaterThan(100);
  }, LONG);
});

it('a run does without attention where its sampler does', async () => {
  const run = join(folder, 'plain');
  const { status, stderr } = await mimlab(['pretrain', config, '--output', run, '--set', 'wrap.0.sampling=running-cell']);
  expect(status, stderr).toBe(0);
  expect(stderr).not.toContain('attention');
  expect(existsSync(join(run, 'checkpoints', 'step-00000008', 'model.safetensors'))).toBe(true);
  expect(existsSync(join(run, 'checkpoints', 'step-00000008', 'sampler-state.safetensors'))).toBe(false);
}, LONG);
