import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killWhen, temporaryFolder, tinyConfig, writeTinyMnist } from './cli-process.js';
import { runInProcess } from './in-process.js';

let root = '';
let run = '';
let tuned = '';
let corrupted = '';

const LEARN = ['epochs=12', 'warmupEpochs=1', 'batch=8', 'lr=0.01', 'checkpointEvery=4'].flatMap((setting) => ['--set', setting]);

beforeAll(async () => {
  root = await temporaryFolder();
  run = join(root, 'run');
  const config = join(root, 'tiny.yaml');
  await writeFile(config, tinyConfig(await writeTinyMnist(join(root, 'mnist'))));
  await runInProcess('pretrain', config, '--output', run, '--set', 'train.epochs=1', '--set', 'train.checkpointEvery=100');
  tuned = join(root, 'tuned');
  await runInProcess('evaluate', run, '--protocol', 'finetune', '--output', tuned, ...LEARN, '--set', 'epochs=2');
  const images = join(root, 'images');
  for (let digit = 0; digit < 10; digit++) {
    mkdirSync(join(images, String(digit)), { recursive: true });
    const pixels = Uint8Array.from({ length: 256 }, (_, p) => (p * (37 + digit)) % 256);
    await sharp(pixels, { raw: { height: 16, width: 16, channels: 1 } }).png().toFile(join(images, String(digit), 'a.png'));
  }
  corrupted = join(root, 'corrupted');
  await runInProcess('corrupt', images, corrupted, '--names', 'fog,contrast,pixelate,brightness', '--parameters', 'cifar');
}, 180_000);

afterAll(() => rm(root, { recursive: true, force: true }));

const entries = (folder: string): readonly string[] => (existsSync(folder) ? readdirSync(folder) : []);
const trained = (output: string): boolean => entries(join(output, 'checkpoints')).some((name) => /^step-\d+$/.test(name));

interface Case {
  readonly protocol: string;
  readonly args: () => readonly string[];
  /** Something is kept, and more is to do. */
  readonly half: (output: string) => boolean;
}

const cases: readonly Case[] = [
  { protocol: 'finetune', args: () => [run, '--protocol', 'finetune', ...LEARN], half: trained },
  { protocol: 'linear', args: () => [run, '--protocol', 'linear', ...LEARN], half: trained },
  { protocol: 'robustness', args: () => [tuned, '--protocol', 'robustness', '--set', `inC=${corrupted}`, '--set', 'present=true'], half: (output) => entries(join(output, 'answers')).length >= 3 },
];

/** results.json but for what the clock and the process say. */
function results(output: string): unknown {
  const { seconds, environment, ...rest } = JSON.parse(readFileSync(join(output, 'results.json'), 'utf8')) as Record<string, unknown>;
  expect(typeof seconds).toBe('number');
  expect(environment).toBeDefined();
  return rest;
}

describe.each(cases)('an evaluation by $protocol that was killed', ({ protocol, args, half }) => {
  it('goes on with the same command, to the same results', async () => {
    const [whole, killed] = [join(root, `${protocol}-whole`), join(root, `${protocol}-killed`)];
    await runInProcess('evaluate', ...args(), '--output', whole);
    expect(await killWhen(['evaluate', ...args(), '--output', killed], () => half(killed))).toBe(true);
    expect(existsSync(join(killed, 'results.json'))).toBe(false);
    await runInProcess('evaluate', ...args(), '--output', killed);
    expect(results(killed)).toEqual(results(whole));
  }, 180_000);
});
