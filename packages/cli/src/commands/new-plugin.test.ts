import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@mimlab/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Terminal } from '../terminal.js';
import { newPlugin, pluginFiles } from './new-plugin.js';

const lines: string[] = [];
const terminal: Terminal = { live: false, columns: 80, out: (line) => lines.push(line), note: () => undefined, overwrite: () => undefined };

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mimlab-new-'));
  lines.length = 0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('mimlab new plugin', () => {
  it('writes a whole package and names its folder', async () => {
    const output = join(folder, 'deep', 'grey');
    await newPlugin('grey', { output }, terminal);
    expect(lines).toEqual([output]);
    expect((await readdir(output, { recursive: true })).sort()).toEqual(
      ['.gitignore', 'README.md', 'package.json', 'src', 'src/colour-target.ts', 'src/config.ts', 'src/conformance.test.ts', 'src/index.ts', 'src/method.ts', 'tsconfig.build.json', 'tsconfig.json', 'vitest.config.ts'],
    );
    expect(await readdir(join(folder, 'deep'))).toEqual(['grey']);
  });

  it('names the plugin in all of its files and leaves no placeholder', () => {
    const files = pluginFiles('grey');
    expect(Object.entries(files).filter(([, text]) => /__[A-Z]+__/.test(text)).map(([path]) => path)).toEqual([]);
    expect(files['src/method.ts']).toContain("name: 'grey'");
    expect(JSON.parse(files['package.json'] as string)).toMatchObject({ name: 'mimlab-plugin-grey', mimlab: { plugin: true }, peerDependencies: { '@mimlab/core': '^0.1.0', '@tensorflow/tfjs-core': '4.22.0' } });
  });

  it('explains every hook in the README', () => {
    for (const hook of ['sampler', 'encoder', 'decoder', 'target']) expect(pluginFiles('grey')['README.md']).toContain(`**${hook}**`);
  });

  it.each(['Grey', 'grey_method', '-grey', 'grey-', 'a--b', '../grey', '@me/grey', '1st', '', 'x'.repeat(61)])("refuses the name '%s' and writes nothing", async (name) => {
    await expect(newPlugin(name, { output: join(folder, 'new') }, terminal)).rejects.toThrow(ConfigError);
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses the name of a plugin that is installed', async () => {
    await expect(newPlugin('mae', { output: join(folder, 'new') }, terminal)).rejects.toThrow(/a plugin 'mae' is installed already \(@mimlab\/plugin-mae\)/);
  });

  it('refuses a folder or file that exists, and leaves it as it is', async () => {
    const output = join(folder, 'mine');
    await mkdir(output);
    await writeFile(join(output, 'kept.txt'), 'kept');
    await expect(newPlugin('grey', { output }, terminal)).rejects.toThrow(/exists already/);
    await expect(newPlugin('grey', { output: join(output, 'kept.txt') }, terminal)).rejects.toThrow(/exists already/);
    expect(await readFile(join(output, 'kept.txt'), 'utf8')).toBe('kept');
    expect(await readdir(output)).toEqual(['kept.txt']);
  });

  it('leaves nothing behind where it cannot write', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(newPlugin('grey', { output: join(folder, 'file', 'new') }, terminal)).rejects.toThrow();
    expect(existsSync(join(folder, 'file', 'new'))).toBe(false);
    expect(await readdir(folder)).toEqual(['file']);
  });
});
