import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mimlab, temporaryFolder, tinyConfig, writeTinyMnist, type Ended } from './cli-process.js';

let folder = '';
let run = '';

beforeAll(async () => {
  folder = await temporaryFolder();
  run = join(folder, 'run');
  const config = join(folder, 'tiny.yaml');
  await writeFile(config, tinyConfig(await writeTinyMnist(join(folder, 'data'))));
  const trained = await mimlab(['pretrain', config, '--output', run]);
  expect(trained.status, trained.stderr).toBe(0);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const report = (...args: string[]): Promise<Ended> => mimlab(['report', ...args], { cwd: folder });

describe('mimlab report', () => {
  it('writes the page into the folder of a single run, and the same page again', async () => {
    const { status, stdout, stderr } = await report(run, '--images', '2');
    expect(status, stderr).toBe(0);
    expect(stdout).toBe(`${join(run, 'report.html')}\n`);
    const first = await readFile(join(run, 'report.html'), 'utf8');
    expect((await report(run, '--images', '2')).status).toBe(0);
    expect(await readFile(join(run, 'report.html'), 'utf8')).toBe(first);
    expect(first.match(/alt="Image \d, reconstructed by run A"/g)).toHaveLength(2);
  }, 120_000);

  it('writes the page about several runs where it is asked to, each run once', async () => {
    const output = join(folder, 'pages', 'two.html');
    const { status, stdout } = await report(run, run, join(folder, '.', 'run'), '--output', output, '--no-pictures');
    expect([status, stdout]).toEqual([0, `${output}\n`]);
    const page = await readFile(output, 'utf8');
    expect(page).toContain('<title>Report on run</title>');
    expect(page).not.toContain('id="reconstructions"');
  });

  it('says why nothing could be drawn when the data of a run are gone', async () => {
    const [moved, output] = [join(folder, 'moved'), join(folder, 'moved.html')];
    const config = join(folder, 'moved.yaml');
    const data = await writeTinyMnist(join(folder, 'moved-data'));
    await writeFile(config, tinyConfig(data));
    expect((await mimlab(['pretrain', config, '--output', moved, '--set', 'train.epochs=1'])).status).toBe(0);
    await rm(data, { recursive: true });
    const { status, stderr } = await report(moved, '--output', output);
    expect(status, stderr).toBe(0);
    expect(await readFile(output, 'utf8')).toContain('It could not be drawn here:');
  });

  it('passes over a damaged checkpoint and says so', async () => {
    const output = join(folder, 'damaged.html');
    const weights = join(run, 'checkpoints', 'step-00000004', 'model.safetensors');
    const whole = await readFile(weights);
    await writeFile(weights, 'torn');
    const { status, stderr } = await report(run, '--output', output, '--images', '1');
    await writeFile(weights, whole);
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/^note: .*step-00000004: passed over/m);
    expect(await readFile(output, 'utf8')).toContain('max="1"');
  });

  it('refuses what is no run, and a run that has not begun', async () => {
    expect(await report(join(folder, 'nowhere'))).toMatchObject({ status: 1, stderr: expect.stringContaining('there is no such run') as string });
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
    expect(await report(join(folder, 'data'))).toMatchObject({ status: 1, stderr: expect.stringContaining('is no run: it has no config.yaml') as string });
    const fresh = join(folder, 'fresh');
    await mkdir(fresh);
    await writeFile(join(fresh, 'config.yaml'), await readFile(join(run, 'config.yaml'), 'utf8'));
    expect(await report(fresh)).toMatchObject({ status: 1, stderr: expect.stringContaining('the run has no checkpoint and no metrics yet') as string });
  });

  it('refuses an output that cannot be written, before it draws', async () => {
    expect(await report(run, '--output', join(folder, 'data'))).toMatchObject({ status: 1, stderr: expect.stringContaining('is a folder, a file is expected') as string });
    const blocked = await report(run, '--output', join(folder, 'tiny.yaml', 'report.html'));
    expect(blocked).toMatchObject({ status: 1, stderr: expect.stringContaining('is a file, a folder is expected') as string });
    expect(blocked.stderr).not.toContain('pictures of');
  });
});
