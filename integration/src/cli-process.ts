import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The built command. */
export const MIMLAB = join(dirname(createRequire(import.meta.url).resolve('@mimlab/cli/package.json')), 'dist', 'main.js');

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A module that the process loads first. */
  readonly preload?: string;
  /** Called with the process and everything it has written to standard error so far, whenever it writes. */
  readonly watch?: (child: ChildProcess, stderr: string) => void;
}

/** Runs `mimlab` as a process of its own, as a user does. */
export function mimlab(args: readonly string[], { cwd, env, preload, watch }: RunOptions = {}): Promise<Ended> {
  const nodeArgs = preload === undefined ? [] : ['--import', preload];
  const child = spawn(process.execPath, [...nodeArgs, MIMLAB, ...args], { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      watch?.(child, stderr);
    });
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status, stdout, stderr });
    });
  });
}

/** Starts the command and kills it without warning once `isTime` says so; returns whether it died of that. */
export function killWhen(args: readonly string[], isTime: () => boolean): Promise<boolean> {
  const child = spawn(process.execPath, [MIMLAB, ...args], { stdio: 'ignore' });
  const timer = setInterval(() => {
    if (isTime()) child.kill('SIGKILL');
  }, 2);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (_, signal) => {
      clearInterval(timer);
      resolve(signal === 'SIGKILL');
    });
  });
}

export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'mimlab-cli-'));

/** An IDX file: magic number, sides, bytes. */
function idx(sides: readonly number[], data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * sides.length + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x0800 + sides.length);
  sides.forEach((side, i) => {
    view.setUint32(4 + 4 * i, side);
  });
  bytes.set(data, 4 + 4 * sides.length);
  return bytes;
}

/** A data set in MNIST's format: `count` images of 16 x 16 in each split. */
export async function writeTinyMnist(folder: string, count = 32): Promise<string> {
  await mkdir(folder, { recursive: true });
  const pixels = Uint8Array.from({ length: count * 256 }, (_, i) => (i * 37 + (i >> 4) * 11) % 256);
  for (const part of ['train', 't10k']) {
    await writeFile(join(folder, `${part}-images-idx3-ubyte`), idx([count, 16, 16], pixels));
    await writeFile(join(folder, `${part}-labels-idx1-ubyte`), idx([count], Uint8Array.from({ length: count }, (_, i) => i % 10)));
  }
  return folder;
}

/** A run that takes a second: 32 images, 16 tokens each, four updates an epoch. */
export const tinyConfig = (data: string): string => `method:
  plugin: mae
  patchSize: 4
  width: 8
  depth: 1
  heads: 2
  decoderWidth: 8
  decoderDepth: 1
  decoderHeads: 2
wrap:
  - plugin: pr-mim
    throw: 0.5
data:
  dataset: mnist
  path: ${data}
  size: 16
  workers: 0
train:
  batch: 8
  epochs: 2
  warmupEpochs: 0.5
  checkpointEvery: 2
  keepCheckpoints: 3
  logEvery: 1
engine:
  kind: eager
`;
