import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, DataError } from '@mimlab/core';
import { CORRUPTIONS, decodeImage } from '@mimlab/data';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Terminal } from '../terminal.js';
import { corruptCommand, type CorruptCommandOptions } from './corrupt.js';

const lines: string[] = [];
const notes: string[] = [];
const terminal: Terminal = { live: false, columns: 80, out: (line) => lines.push(line), note: (line) => notes.push(line), overwrite: () => undefined };

let root = '';
const from = (): string => join(root, 'images');
const to = (): string => join(root, 'out');
const run = (options: Partial<CorruptCommandOptions> = {}, output = to()): Promise<void> => corruptCommand(from(), output, { seed: 0, parameters: 'imagenet', ...options }, terminal);
const file = (...parts: string[]): Promise<Buffer> => readFile(join(to(), ...parts));

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mimlab-corrupt-'));
  lines.length = 0;
  notes.length = 0;
  const picture = (seed: number): Promise<Buffer> =>
    sharp(Uint8Array.from({ length: 16 * 12 * 3 }, (_, i) => (i * seed) % 256), { raw: { height: 12, width: 16, channels: 3 } }).png().toBuffer();
  for (const [name, seed] of [['cat', 7], ['dog', 11]] as const) {
    await mkdir(join(from(), name), { recursive: true });
    await writeFile(join(from(), name, 'one.png'), await picture(seed));
  }
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('mimlab corrupt', () => {
  it('writes the tree of the folder for each corruption and severity', async () => {
    await run({ names: 'fog,contrast', severities: '1,5' });
    expect(lines).toEqual([to()]);
    expect((await readdir(to(), { recursive: true })).filter((path) => path.endsWith('.png')).sort()).toEqual(
      ['contrast', 'fog'].flatMap((name) => ['1', '5'].flatMap((severity) => ['cat', 'dog'].map((label) => join(name, severity, label, 'one.png.png')))),
    );
    expect(await decodeImage(join(to(), 'fog', '5', 'cat', 'one.png.png'), 3)).toMatchObject({ height: 12, width: 16 });
  });

  it('makes all corruptions unless some are named, and says what frost is', async () => {
    await run({ severities: '3' });
    expect((await readdir(to())).sort()).toEqual([...CORRUPTIONS].sort());
    expect(notes.join('\n')).toContain('2 images, 15 corruptions, severities 3');
    expect(notes.join('\n')).toContain('texture of frost is made');
  });

  it('writes the same files for the same seed, and others for another', async () => {
    const options = { names: 'gaussian_noise', severities: '2' };
    const path = ['gaussian_noise', '2', 'cat', 'one.png.png'];
    await run(options);
    const first = await file(...path);
    await run(options);
    expect(await file(...path)).toEqual(first);
    await run({ ...options, seed: 1 });
    expect(await file(...path)).not.toEqual(first);
  });

  it('draws for each image anew, whichever others there are', async () => {
    const options = { names: 'snow', severities: '4' };
    await run(options);
    const before = await file('snow', '4', 'dog', 'one.png.png');
    await rm(join(from(), 'cat'), { recursive: true });
    await run(options);
    expect(await file('snow', '4', 'dog', 'one.png.png')).toEqual(before);
  });

  it('makes what is listed twice once, with spaces or without', async () => {
    await run({ names: 'fog, fog', severities: ' 1,1' });
    expect(notes).toContain('2 images, 1 corruptions, severities 1');
    expect(await readdir(join(to(), 'fog'))).toEqual(['1']);
  });

  it('brings images to squares when a size is given', async () => {
    await run({ names: 'contrast', severities: '1', size: 8 });
    expect(await decodeImage(join(to(), 'contrast', '1', 'cat', 'one.png.png'), 3)).toMatchObject({ height: 8, width: 8 });
  });

  it('takes the parameters for small images', async () => {
    const path = ['contrast', '5', 'cat', 'one.png.png'];
    await run({ names: 'contrast', severities: '5' });
    const large = await file(...path);
    await run({ names: 'contrast', severities: '5', parameters: 'cifar' });
    expect(await file(...path)).not.toEqual(large);
  });

  it.each([
    [{ names: 'fog,fogg' }, /--names: there is no corruption 'fogg'.*'fog'/],
    [{ severities: '0' }, /--severities: there is no severity '0'/],
    [{ severities: '1,' }, /--severities: there is no severity ''/],
  ])('refuses %o and writes nothing', async (options, message) => {
    const error: unknown = await run(options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toMatch(message);
    expect(existsSync(to())).toBe(false);
  });

  it('refuses a folder of results within the images', async () => {
    await expect(run({}, join(from(), 'corrupted'))).rejects.toThrow(/lies in the folder of the images/);
  });

  it('refuses a folder without images, one that is missing, and names an image that is damaged', async () => {
    await writeFile(join(from(), 'cat', 'two.jpg'), 'no image');
    await expect(run({ names: 'fog', severities: '1' })).rejects.toThrow(/two.jpg: cannot be decoded/);
    await rm(from(), { recursive: true });
    await expect(run()).rejects.toThrow(/no such folder/);
    await mkdir(from());
    await expect(run()).rejects.toThrow(DataError);
  });
});
