import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError } from '@mimlab/core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyRun, writeTinyDigits } from '../run/tiny-run.test-support.js';
import { trainRun } from '../run/train-run.js';
import { recordedTerminal } from '../terminal.test-support.js';
import { reconstruct, type ReconstructOptions } from './reconstruct.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-reconstruct-'));
const run = join(folder, 'Lauf ä');
beforeAll(async () => {
  const context = await tinyRun(writeTinyDigits(join(folder, 'digits')), 'train.batch=12');
  await trainRun({ context, output: run, resume: false, report: () => undefined });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function draw(images: readonly string[] = [], options: Partial<ReconstructOptions> = {}) {
  const terminal = recordedTerminal();
  await reconstruct(run, images, { statistics: 'visible', count: 2, seed: 0, ...options }, terminal);
  const [path = ''] = terminal.lines;
  return { path, notes: terminal.notes, bytes: readFileSync(path), height: (await sharp(path).metadata()).height };
}

describe('mimlab reconstruct', () => {
  it('draws into the folder of the run, and says under the picture and beside it what it shows', async () => {
    const { path, notes } = await draw();
    expect(path).toBe(join(run, 'reconstructions.png'));
    expect(notes).toEqual(['predicted: patch-normalised pixels; visible patches pasted in', 'mean and deviation guessed from visible patches (no leak)']);
  });

  it('has a row for each image, named ones in place of test images', async () => {
    const own = join(folder, 'own.png');
    await sharp({ create: { width: 9, height: 9, channels: 3, background: { r: 1, g: 200, b: 3 } } }).png().toFile(own);
    const [one, two, three] = [await draw([], { count: 1 }), await draw([], { count: 2 }), await draw([own, own, own], { count: 1 })];
    expect(two.height - one.height).toBeGreaterThan(100);
    expect(three.height - two.height).toBe(two.height - one.height);
  });

  it('draws the same for the same seed and masks anew for another', async () => {
    const first = await draw();
    expect((await draw()).bytes.equals(first.bytes)).toBe(true);
    expect((await draw([], { seed: 1 })).bytes.equals(first.bytes)).toBe(false);
  });

  it('takes weights that are named in place of its newest checkpoint', async () => {
    const weights = join(run, 'checkpoints', 'step-00000001');
    expect(existsSync(weights)).toBe(true);
    expect((await draw([], { weights })).bytes.equals((await draw()).bytes)).toBe(true);
    await expect(draw([], { weights: join(folder, 'gone.safetensors') })).rejects.toThrow('gone.safetensors');
  });

  it('makes the folders on the way to its picture', async () => {
    const output = join(folder, 'Bilder', 'neu', 'a.png');
    expect((await draw([], { output })).path).toBe(output);
  });

  it('says how to go on where nothing was trained yet', async () => {
    const young = join(folder, 'young');
    const stopping = new AbortController();
    stopping.abort();
    await trainRun({ context: await tinyRun(join(folder, 'digits')), output: young, resume: false, signal: stopping.signal, report: () => undefined });
    rmSync(join(young, 'checkpoints'), { recursive: true });
    const error: unknown = await reconstruct(young, [], { statistics: 'visible', count: 1, seed: 0 }, recordedTerminal()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toContain(`Train it first: mimlab pretrain --resume ${young}`);
  });
});
