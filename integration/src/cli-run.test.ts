import { spawn } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mimlab, MIMLAB, temporaryFolder, tinyConfig, writeTinyMnist } from './cli-process.js';

let folder = '';
let config = '';

beforeAll(async () => {
  folder = await temporaryFolder();
  config = join(folder, 'tiny.yaml');
  await writeFile(config, tinyConfig(await writeTinyMnist(join(folder, 'data'))));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('mimlab pretrain', () => {
  it('says what it is about to do, does it, and names the folder of the run', async () => {
    const output = join(folder, 'first');
    const { status, stdout, stderr } = await mimlab(['pretrain', config, '--output', output, '--set', 'train.epochs=1', '--set', 'train.baseLr=0.002']);
    expect(status, stderr).toBe(0);
    expect(stdout).toBe(`${output}\n`);
    for (const line of [
      /^method +mae \+ pr-mim$/m,
      /^data +mnist, 32 images of 16 x 16 x 1$/m,
      /^tokens +4 x 4: V 4 visible, K 4 retained, T 8 thrown$/m,
      /^cost +0\.\d\d\d of the method without wrappers/m,
      /^batch +8 images an update \(8 x 1\)$/m,
      /^rate +0\.0000625 = base 0\.002 x 8 \/ 256$/m,
      /^level +0\.9375 is the loss of predicting each patch by its mean$/m,
      /^update {2}4\/4 \(100 %\) {2}epoch 1\.00 {2}loss \d/m,
      /^Finished 4 updates/m,
    ]) {
      expect(stderr).toMatch(line);
    }
    expect(await readdir(output)).toEqual(expect.arrayContaining(['checkpoints', 'config.yaml', 'environment.json', 'metrics.jsonl', 'tensorboard']));
    expect((await readFile(join(output, 'metrics.jsonl'), 'utf8')).trim().split('\n')).toHaveLength(4);
  });

  it('stops at Ctrl-C with a checkpoint, says how to go on, and goes on to the same weights', async () => {
    const args = ['--set', 'train.epochs=30', '--set', 'train.checkpointEvery=1000'];
    const [stopped, whole] = [join(folder, 'stopped'), join(folder, 'whole')];
    let sent = false;
    const interrupted = await mimlab(['pretrain', config, '--output', stopped, ...args], {
      watch: (child, stderr) => {
        if (sent || !/^update {2}1\//m.test(stderr)) return;
        sent = true;
        child.kill('SIGINT');
      },
    });
    expect(interrupted.status, interrupted.stderr).toBe(130);
    expect(interrupted.stderr).toContain(`Go on with: mimlab pretrain --resume ${stopped}`);
    expect(await readdir(join(stopped, 'checkpoints'))).toHaveLength(1);
    const resumed = await mimlab(['pretrain', '--resume', stopped]);
    expect(resumed.status, resumed.stderr).toBe(0);
    expect((await mimlab(['pretrain', config, '--output', whole, ...args])).status).toBe(0);
    const [a, b] = await Promise.all([stopped, whole].map((path) => readFile(join(path, 'checkpoints', 'step-00000120', 'model.safetensors'))));
    expect(a?.equals(b as Buffer)).toBe(true);
  });

  it('chooses a free folder where none is named', async () => {
    const first = await mimlab(['pretrain', config, '--set', 'train.epochs=1'], { cwd: folder });
    const second = await mimlab(['pretrain', config, '--set', 'train.epochs=1'], { cwd: folder });
    expect([first.stdout, second.stdout]).toEqual([`${join('runs', 'tiny')}\n`, `${join('runs', 'tiny-2')}\n`]);
  });
});

describe('mimlab reconstruct', () => {
  it('draws test images, or the images it is given, and says what the picture shows', async () => {
    const run = join(folder, 'first');
    const drawn = await mimlab(['reconstruct', run, '--count', '3']);
    expect(drawn.status, drawn.stderr).toBe(0);
    expect(drawn.stdout).toBe(`${join(run, 'reconstructions.png')}\n`);
    expect(drawn.stderr).toContain('guessed from visible patches (no leak)');
    const three = await sharp(join(run, 'reconstructions.png')).metadata();

    const picture = join(folder, 'given.png');
    await sharp({ create: { width: 40, height: 30, channels: 3, background: { r: 200, g: 90, b: 30 } } }).png().toFile(picture);
    const output = join(folder, 'pictures', 'one.png');
    const given = await mimlab(['reconstruct', run, picture, '--statistics', 'oracle', '--output', output]);
    expect(given.status, given.stderr).toBe(0);
    expect(given.stderr).toContain('ORACLE');
    const one = await sharp(output).metadata();
    expect(one.width).toBe(three.width);
    expect(three.height).toBeGreaterThan(2 * (one.height ?? Infinity));
  });
});

describe('the process', () => {
  it('finishes its run when nobody reads its output any more', async () => {
    const output = join(folder, 'unread');
    const child = spawn(process.execPath, [MIMLAB, 'pretrain', config, '--output', output], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    child.stderr.destroy();
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(status).toBe(0);
    expect(await readdir(join(output, 'checkpoints'))).toContain('step-00000008');
  });

  it('counts costs without TensorFlow', async () => {
    const { status, stdout, stderr } = await mimlab(['flops', 'mae/vit-b16-in1k-pr50', '--json'], { env: { MIMLAB_TENSORFLOW: '', MIMLAB_CACHE: join(folder, 'empty') } });
    expect(status, stderr).toBe(0);
    expect((JSON.parse(stdout) as { ratio: number }).ratio.toFixed(3)).toBe('0.724');
  });

  it('hides stack traces unless asked, and tells usage errors by their exit code', async () => {
    const quiet = await mimlab(['pretrain', 'nowhere.yaml']);
    expect([quiet.status, /^\s+at /m.test(quiet.stderr)]).toEqual([1, false]);
    const verbose = await mimlab(['--verbose', 'pretrain', 'nowhere.yaml']);
    expect([verbose.status, /^\s+at /m.test(verbose.stderr)]).toEqual([1, true]);
    expect((await mimlab(['no-such-command'])).status).toBe(2);
    expect((await mimlab(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
