import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { saveWeights, writeSafetensors } from '@mimlab/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mimlab, temporaryFolder, tinyConfig, writeTinyMnist, type Ended } from './cli-process.js';

let folder = '';
let config = '';
let run = '';

beforeAll(async () => {
  folder = await temporaryFolder();
  config = join(folder, 'tiny.yaml');
  run = join(folder, 'run');
  await writeFile(config, tinyConfig(await writeTinyMnist(join(folder, 'data'))));
  const trained = await mimlab(['pretrain', config, '--output', run]);
  expect(trained.status, trained.stderr).toBe(0);
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** One clear message: exit code 1, no stack trace, nothing that calls itself a defect, every pattern in it. */
function expectOneError({ status, stderr }: Ended, ...says: readonly (string | RegExp)[]): void {
  expect(status, stderr).toBe(1);
  expect(stderr).not.toMatch(/^\s+at .*:\d+/m);
  expect(stderr).not.toMatch(/unexpected:|defect/);
  expect(stderr.match(/^error: /gm), stderr).toHaveLength(1);
  for (const text of says) expect(stderr).toMatch(text);
}

/** Names and contents of all files under a folder. */
async function contents(path: string): Promise<Record<string, string>> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(files.sort().map(async (file) => [file, (await readFile(file)).toString('base64')] as const)));
}

const variant = async (name: string, change: (text: string) => string): Promise<string> => {
  const file = join(folder, name);
  await writeFile(file, change(await readFile(config, 'utf8')));
  return file;
};

describe('a configuration that cannot run', () => {
  it('with misspelt keys names each with its line and the nearest known key', async () => {
    const file = await variant('misspelt.yaml', (text) => text.replace('width: 8', 'widht: 8').replace('epochs: 2', 'epochz: 2').replace('throw: 0.5', 'trow: 0.5'));
    expectOneError(await mimlab(['pretrain', file]), /misspelt\.yaml:4:3: .*widht.*width/, /misspelt\.yaml:\d+:\d+: .*epochz.*epochs/, /misspelt\.yaml:\d+:\d+: .*trow.*throw/);
  });

  it('with an unknown section names it', async () => {
    const file = await variant('section.yaml', (text) => text.replace('train:', 'trian:'));
    expectOneError(await mimlab(['pretrain', file]), /section\.yaml:\d+:1: .*trian.*train/);
  });

  it('with wrong types names what was given and what is expected, all at once', async () => {
    const file = await variant('types.yaml', (text) => text.replace('batch: 8', 'batch: many').replace('depth: 1', 'depth: 1.5'));
    expectOneError(await mimlab(['pretrain', file]), /train\.batch: .*many/, /method\.depth: .*1\.5/);
  });

  it('with an override of the wrong type names the override', async () => {
    expectOneError(await mimlab(['pretrain', config, '--set', 'train.epochs=soon']), /--set train\.epochs=soon/, /soon/);
  });

  it('that is no YAML names the line', async () => {
    const file = await variant('broken.yaml', (text) => text.replace('  plugin: mae', '  plugin: [mae'));
    expectOneError(await mimlab(['pretrain', file]), /broken\.yaml:\d+:\d+/);
  });

  it('that does not exist is told the presets', async () => {
    expectOneError(await mimlab(['pretrain', 'mae/vit-b16']), 'mae/vit-b16-in1k');
  });

  it('with a plugin that is not installed names those that are', async () => {
    const file = await variant('plugin.yaml', (text) => text.replace('plugin: mae', 'plugin: mea'));
    expectOneError(await mimlab(['pretrain', file]), /plugin\.yaml:2:11/, /mea.*mae/);
  });

  it('that throws more tokens than are masked names γ and m', async () => {
    expectOneError(await mimlab(['pretrain', config, '--set', 'wrap.0.throw=0.9']), /γ = 0\.9/, /m = 0\.75/, /lower 'throw'/);
  });

  it('that retains no token names the counts', async () => {
    expectOneError(await mimlab(['pretrain', config, '--set', 'wrap.0.throw=0.75']), /no masked token is retained/, /12/);
  });

  it('whose patches do not divide the image names both', async () => {
    expectOneError(await mimlab(['pretrain', config, '--set', 'method.patchSize=5']), /16/, /5/, /patch/i);
  });

  it('whose heads do not divide the width names both', async () => {
    expectOneError(await mimlab(['pretrain', config, '--set', 'method.heads=3']), /8/, /heads/);
  });

  it('leaves no folder of a run behind', async () => {
    const output = join(folder, 'never');
    expectOneError(await mimlab(['pretrain', config, '--output', output, '--set', 'method.patchSize=5']));
    expectOneError(await mimlab(['pretrain', config, '--output', output, '--set', 'data.path=/no/such/folder']));
    expect(await readdir(folder)).not.toContain('never');
  });
});

describe('images that cannot be read', () => {
  it('in a data set that is missing are named by their folder', async () => {
    expectOneError(await mimlab(['pretrain', config, '--set', 'data.path=/no/such/folder']), '/no/such/folder', /data\.path/);
    expectOneError(await mimlab(['pretrain', config, '--set', 'data.dataset=imagefolder', '--set', 'data.path=/no/such/folder']), '/no/such/folder');
  });

  it('in a damaged file of a data set are named by the file', async () => {
    const data = await writeTinyMnist(join(folder, 'damaged'));
    await truncate(join(data, 'train-images-idx3-ubyte'), 1000);
    expectOneError(await mimlab(['pretrain', config, '--set', `data.path=${data}`]), 'train-images-idx3-ubyte');
  });

  it('in the middle of a run are named, and the run keeps what it had saved', async () => {
    const data = join(folder, 'photos');
    const output = join(folder, 'photos-run');
    const { default: sharp } = await import('sharp');
    for (const split of ['train', 'val']) {
      await mkdir(join(data, split, 'class'), { recursive: true });
      for (let index = 0; index < 16; index++) {
        await sharp({ create: { width: 16, height: 16, channels: 3, background: { r: index * 9, g: 90, b: 30 } } }).png().toFile(join(data, split, 'class', `${index}.png`));
      }
    }
    const args = ['pretrain', config, '--set', 'data.dataset=imagefolder', '--set', `data.path=${data}`, '--set', 'train.checkpointEvery=1', '--set', 'train.epochs=3'];
    await writeFile(join(data, 'train', 'class', '7.png'), 'this is no picture');
    expectOneError(await mimlab([...args, '--output', output]), /7\.png/, /cannot be decoded/);
    await sharp({ create: { width: 16, height: 16, channels: 3, background: { r: 1, g: 90, b: 30 } } }).png().toFile(join(data, 'train', 'class', '7.png'));
    const resumed = await mimlab([...args, '--resume', output]);
    expect(resumed.status, resumed.stderr).toBe(0);
  });

  it('are named when they are to be reconstructed', async () => {
    expectOneError(await mimlab(['reconstruct', run, join(folder, 'nowhere.png')]), /nowhere\.png/);
    expectOneError(await mimlab(['reconstruct', run, config]), /tiny\.yaml/, /cannot be decoded/);
  });
});

describe('runs and checkpoints', () => {
  it('that are not there are named', async () => {
    expectOneError(await mimlab(['pretrain', config, '--resume', join(folder, 'nothing')]), /nothing/, /no such run/);
    expectOneError(await mimlab(['reconstruct', join(folder, 'data')]), /is no run/);
    expectOneError(await mimlab(['reconstruct', config]), /is a file/);
  });

  it('are never overwritten by a new run', async () => {
    const before = await contents(run);
    expectOneError(await mimlab(['pretrain', config, '--output', run]), /holds a run already/, /--resume/);
    expectOneError(await mimlab(['pretrain', config, '--output', join(folder, 'data')]), /is not empty/);
    expect(await contents(run)).toEqual(before);
  });

  it('are not resumed with another configuration: every key that differs is named', async () => {
    const before = await contents(join(run, 'checkpoints'));
    expectOneError(await mimlab(['pretrain', config, '--resume', run, '--set', 'train.weightDecay=0.1', '--set', 'seed=5']), /train\.weightDecay: was 0\.05, is 0\.1/, /seed: was 0, is 5/);
    expect(await contents(join(run, 'checkpoints'))).toEqual(before);
  });

  it('are passed over when damaged, and the run goes on from the one before', async () => {
    const copy = join(folder, 'one-damaged');
    await cp(run, copy, { recursive: true });
    await truncate(join(copy, 'checkpoints', 'step-00000008', 'model.safetensors'), 500);
    const { status, stderr } = await mimlab(['pretrain', config, '--resume', copy]);
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/step-00000008: passed over/);
    expect(stderr).toMatch(/going on after 6/);
  });

  it('are refused, and kept, when all of them are damaged', async () => {
    const copy = join(folder, 'all-damaged');
    await cp(run, copy, { recursive: true });
    for (const step of await readdir(join(copy, 'checkpoints'))) await truncate(join(copy, 'checkpoints', step, 'optimizer.safetensors'), 100);
    const before = await contents(join(copy, 'checkpoints'));
    expectOneError(await mimlab(['pretrain', config, '--resume', copy]), /none of the \d checkpoints is whole/, /backup/);
    expect(await contents(join(copy, 'checkpoints'))).toEqual(before);
  });

  it('of another model are refused with every mismatch', async () => {
    const weights = join(folder, 'foreign.safetensors');
    await writeSafetensors(weights, { 'blocks.0.norm1.weight': { shape: [3], dtype: 'float32', data: new Float32Array(3) } });
    expectOneError(await mimlab(['reconstruct', run, '--weights', weights]), /foreign\.safetensors/, /blocks\.0\.norm1\.weight.*\[3\].*\[8\]/);
  });

  it('of a deeper model are refused although everything the model needs is there', async () => {
    const deeper = join(folder, 'deeper');
    const trained = await mimlab(['pretrain', config, '--output', deeper, '--set', 'method.depth=2', '--set', 'train.epochs=1']);
    expect(trained.status, trained.stderr).toBe(0);
    expectOneError(await mimlab(['reconstruct', run, '--weights', join(deeper, 'checkpoints', 'step-00000004')]), /model lacks \(blocks\.1\./);
  });

  it('that hold no decoder are not drawn', async () => {
    const weights = join(folder, 'encoder.safetensors');
    const specs = { cls_token: { shape: [1, 1, 8], trainable: true, init: () => new Float32Array(8), layout: { kind: 'same' } } } as const;
    await saveWeights(weights, { cls_token: { shape: [1, 1, 8], dtype: 'float32', data: new Float32Array(8) } }, specs);
    expectOneError(await mimlab(['reconstruct', run, '--weights', weights]), /trained parameters are not in the file/, /needs the decoder/);
  });

  it('that are no weights at all are named', async () => {
    expectOneError(await mimlab(['reconstruct', run, '--weights', config]), /tiny\.yaml/);
    expectOneError(await mimlab(['reconstruct', run, '--weights', join(folder, 'gone.safetensors')]), /gone\.safetensors/);
  });
});

describe('a disk that is full', () => {
  it('stops the run with what was saved intact, and the run goes on when there is space', async () => {
    const output = join(folder, 'full');
    const preload = join(folder, 'full-disk.mjs');
    // Every write below the third checkpoint's folder fails as on a full disk.
    await writeFile(
      preload,
      `import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const open = fs.promises.open;
fs.promises.open = async (path, ...rest) => {
  const handle = await open(path, ...rest);
  if (String(path).includes('step-00000006')) {
    const full = async () => { throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' }); };
    handle.write = full;
    handle.writeFile = full;
    handle.writev = full;
  }
  return handle;
};
syncBuiltinESMExports();
`,
    );
    expectOneError(await mimlab(['pretrain', config, '--output', output], { preload }), /step-00000006/, /space/);
    expect((await readdir(join(output, 'checkpoints'))).sort()).toEqual(['step-00000002', 'step-00000004']);
    const resumed = await mimlab(['pretrain', '--resume', output]);
    expect(resumed.status, resumed.stderr).toBe(0);
    expect(resumed.stderr).toMatch(/going on after 4/);
    const [there, undisturbed] = await Promise.all([output, run].map((path) => readFile(join(path, 'checkpoints', 'step-00000008', 'model.safetensors'))));
    expect(there?.equals(undisturbed as Buffer)).toBe(true);
  });

  it('is named when a schema cannot be written', async () => {
    expectOneError(await mimlab(['schema', '--output', '/dev/full']), /no space left on the disk/);
  });
});
