import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, PluginError } from '../errors.js';
import { definePlugin, defineWrapper, type Plugin } from '../plugin/define-plugin.js';
import type { LoadedPlugin } from '../plugin/registry.js';
import { loadRunConfig, type LoadedRunConfig } from './load-run-config.js';

const described = { version: '1.0.0', core: '^0.1.0', paper: 'none' };
const dots = definePlugin({
  ...described,
  name: 'dots',
  configSchema: z.strictObject({
    maskRatio: z.number().gt(0).lt(1).default(0.75),
    depth: z.int().min(1).default(2),
    head: z
      .discriminatedUnion('kind', [z.strictObject({ kind: z.literal('linear') }), z.strictObject({ kind: z.literal('conv'), kernel: z.int().default(3) })])
      .prefault({ kind: 'linear' }),
  }),
  hooks: () => ({}),
});
const lines = definePlugin({ ...described, name: 'lines', configSchema: z.strictObject({ slope: z.number().default(1) }), hooks: () => ({}) });
const halve = defineWrapper({
  ...described,
  name: 'halve',
  configSchema: z.strictObject({ throw: z.number().min(0).max(0.9).default(0.5), sampling: z.enum(['random', 'furthest']).default('random') }),
  wrap: () => ({}),
});
const plugins: Record<string, Plugin> = { dots, lines, halve };
const asked: [string, string | undefined][] = [];
const registry = {
  load: async (name: string, from?: string): Promise<LoadedPlugin> => {
    asked.push([name, from]);
    const plugin = plugins[name];
    if (plugin === undefined) throw new PluginError(`no plugin '${name}' is installed`);
    return { plugin, module: `/modules/${name}.js`, reference: name };
  },
};
const sections = {
  train: z.strictObject({ batch: z.int().min(1).default(8), betas: z.tuple([z.number(), z.number()]).default([0.9, 0.95]), lr: z.union([z.literal('auto'), z.number()]).default('auto') }),
  data: z.strictObject({ path: z.string(), size: z.int().default(28) }),
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mimlab-config-'));
  asked.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}
const load = (file: string, overrides: string[] = []): Promise<LoadedRunConfig<typeof sections>> =>
  loadRunConfig(file, { sections, registry, presetFolders: [join(folder, 'presets')], overrides });

/** The lines of the error that loading gives, with the test's folder cut off. */
async function mistakes(text: string, overrides: string[] = []): Promise<string[]> {
  return mistakesOf(write('run.yaml', text), overrides);
}
async function mistakesOf(file: string, overrides: string[] = []): Promise<string[]> {
  const error = await load(file, overrides).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message.replaceAll(`${folder}/`, '').split('\n');
}

const good = 'method: { plugin: dots }\ndata: { path: images }\n';

describe('a configuration that is right', () => {
  it('gets every default', async () => {
    const { config } = await load(write('run.yaml', good));
    expect(config).toEqual({
      seed: 0,
      method: { plugin: 'dots', maskRatio: 0.75, depth: 2, head: { kind: 'linear' } },
      hooks: {},
      wrap: [],
      train: { batch: 8, betas: [0.9, 0.95], lr: 'auto' },
      data: { path: 'images', size: 28 },
    });
  });

  it('gives modules and parsed settings for the composition', async () => {
    const { composition } = await load(write('run.yaml', `${good}hooks: { target: { plugin: lines } }\nwrap: [{ plugin: halve, throw: 0.25 }]\n`));
    expect(composition).toEqual({
      method: { module: '/modules/dots.js', config: { maskRatio: 0.75, depth: 2, head: { kind: 'linear' } } },
      hooks: { target: { module: '/modules/lines.js', config: { slope: 1 } } },
      wrap: [{ module: '/modules/halve.js', config: { throw: 0.25, sampling: 'random' } }],
    });
  });

  it('is formatted so that loading it again gives the same', async () => {
    const first = await load(write('run.yaml', `${good}seed: 7\noutput: runs/a\nwrap: [{ plugin: halve }, { plugin: halve, throw: 0 }]\ntrain: { lr: 1.5e-7 }\n`));
    const second = await load(write('again.yaml', first.format()));
    expect(second.config).toEqual(first.config);
    expect(second.format()).toBe(first.format());
  });

  it('has its keys in one order, whatever was written first, so that texts can be compared', async () => {
    const first = await load(write('run.yaml', 'data: { size: 8, path: images }\nmethod: { depth: 3, plugin: dots }\nseed: 0\n'));
    const second = await load(write('again.yaml', 'method: { plugin: dots, depth: 3 }\ndata: { path: images, size: 8 }\n'));
    expect(second.format()).toBe(first.format());
  });

  it('is refused when the schema of its plugin would not load the result again', async () => {
    const growing = definePlugin({ ...described, name: 'growing', configSchema: z.strictObject({ n: z.int().default(1) }).transform(({ n }) => ({ n: n + 1 })), hooks: () => ({}) });
    plugins['growing'] = growing;
    expect(await mistakes('method: { plugin: growing }\ndata: { path: images }\n')).toEqual([
      `run.yaml:1:19: method.plugin: the schema of 'growing' does not accept what it gives: its stored settings could not be loaded again`,
    ]);
  });

  it('takes a section with nothing in it as empty', async () => {
    expect((await load(write('run.yaml', `${good}train:\nwrap:\nhooks:\n`))).config.train.batch).toBe(8);
  });

  it('follows anchors and aliases', async () => {
    const { config } = await load(write('run.yaml', `${good}hooks: { target: &t { plugin: lines, slope: 3 }, encoder: *t }\n`));
    expect(config.hooks.encoder).toEqual({ plugin: 'lines', slope: 3 });
  });
});

describe('extends', () => {
  it('merges maps, replaces lists, and lets the later file win', async () => {
    write('base.yaml', 'train: { batch: 2, betas: [0.1, 0.2] }\nwrap: [{ plugin: halve, throw: 0.1 }, { plugin: halve }]\n');
    write('more.yaml', 'train: { batch: 3 }\n');
    const { config } = await load(write('run.yaml', `extends: [base.yaml, ./more.yaml]\n${good}wrap: [{ plugin: halve, throw: 0.9 }]\n`));
    expect(config.train).toMatchObject({ batch: 3, betas: [0.1, 0.2] });
    expect(config.wrap.map((item) => item['throw'])).toEqual([0.9]);
  });

  it('finds presets by name, with or without the ending, also as the configuration itself', async () => {
    write('presets/tiny/dots.yaml', good);
    expect((await load(write('run.yaml', 'extends: tiny/dots.yaml\nseed: 4\n'))).config.seed).toBe(4);
    expect((await load('tiny/dots')).config.method.plugin).toBe('dots');
  });

  it('prefers a file beside the configuration to a preset', async () => {
    write('presets/base.yaml', `${good}seed: 1\n`);
    write('base.yaml', `${good}seed: 2\n`);
    expect((await load(write('run.yaml', 'extends: base.yaml\n'))).config.seed).toBe(2);
  });

  it('resolves names in an extended file from its own folder', async () => {
    write('a/b/deep.yaml', good);
    write('a/middle.yaml', 'extends: b/deep.yaml\n');
    await load(write('run.yaml', 'extends: a/middle.yaml\n'));
    expect(asked).toContainEqual(['dots', join(folder, 'a/b')]);
  });

  it('drops the keys of a method when another one is named', async () => {
    write('base.yaml', 'method: { plugin: dots, depth: 9 }\ndata: { path: images }\n');
    const { config } = await load(write('run.yaml', 'extends: base.yaml\nmethod: { plugin: lines }\n'));
    expect(config.method).toEqual({ plugin: 'lines', slope: 1 });
  });

  it('refuses a circle and shows it', async () => {
    write('b.yaml', 'extends: run.yaml\n');
    expect(await mistakes(`extends: b.yaml\n${good}`)).toEqual(['b.yaml:1:10: extends: this closes a circle: run.yaml -> b.yaml -> run.yaml']);
  });

  it('names the nearest preset for one that is not there', async () => {
    write('presets/mae/vit-b16.yaml', good);
    expect(await mistakes('extends: mae/vit-b61.yaml\n')).toEqual([`run.yaml:1:10: extends: there is no file or preset 'mae/vit-b61.yaml'; did you mean 'mae/vit-b16.yaml'?`]);
  });

  it('refuses anything but names', async () => {
    expect(await mistakes('extends: [3]\n')).toEqual(['run.yaml:1:11: extends: the name of a file or preset is expected, or a list of them']);
  });
});

describe('--set', () => {
  it('replaces values deep inside, typed as YAML', async () => {
    const { config } = await load(write('run.yaml', `${good}wrap: [{ plugin: halve }]\n`), ['wrap.0.throw=0.65', 'train.betas=[0.8, 0.9]', 'data.path="12"', 'seed=3']);
    expect(config).toMatchObject({ seed: 3, data: { path: '12' }, train: { betas: [0.8, 0.9] }, wrap: [{ throw: 0.65 }] });
  });
  it('appends to a list by the next number', async () => {
    expect((await load(write('run.yaml', good), ['wrap.0.plugin=halve'])).config.wrap).toHaveLength(1);
  });
  it('checks values as those of files', async () => {
    expect(await mistakes(`${good}wrap: [{ plugin: halve }]\n`, ['wrap.0.throw=2'])).toEqual(['--set wrap.0.throw=2: wrap.0.throw: too large, got 2, expected at most 0.9']);
  });
  it('refuses an unknown path with the nearest key', async () => {
    expect(await mistakes(good, ['trian.batch=2', 'method.dept=3'])).toEqual([
      `--set method.dept=3: method.dept: unknown key; did you mean 'depth'?`,
      `--set trian.batch=2: trian: unknown key; did you mean 'train'?`,
    ]);
  });
  it('refuses a path that leads nowhere', async () => {
    expect(await mistakes(`${good}seed: 1\nwrap: [{ plugin: halve }]\n`, ['seed.a=1', 'wrap.throw=1', 'wrap.7.throw=1', 'wrap.0', 'extends=x'])).toEqual([
      `--set extends=x: extends: files are merged before overrides are applied; name another file or preset instead`,
      `--set seed.a=1: seed: this is the single value 1, it has no key 'a'`,
      `--set wrap.0: an override reads KEY.KEY=VALUE, as in --set train.batch=64`,
      `--set wrap.7.throw=1: wrap: this is a list, got '7', expected the number of an item; it has items 0 to 0`,
      `--set wrap.throw=1: wrap: this is a list, got 'throw', expected the number of an item; it has items 0 to 0`,
    ]);
  });
  it('refuses a value that is no YAML', async () => {
    expect((await mistakes(good, ['train.betas=[1, 2']))[0]).toMatch(/^--set train\.betas=\[1, 2: train\.betas: this is not valid YAML/);
  });
});

describe('mistakes', () => {
  it('are reported all at once, in the order of the lines', async () => {
    expect(await mistakes('seed: x\nmethod:\n  plugin: dots\n  maskratio: 0.5\n  depth: 0\ntrain: { batch: 1.5, lr: fast }\ndata: {}\nfoo: 1\n')).toEqual([
      `run.yaml:1:7: seed: wrong type, got 'x', expected a number`,
      `run.yaml:4:3: method.maskratio: unknown key; did you mean 'maskRatio'?`,
      `run.yaml:5:10: method.depth: too small, got 0, expected at least 1`,
      `run.yaml:6:17: train.batch: wrong type, got 1.5, expected a whole number`,
      `run.yaml:6:26: train.lr: wrong value, got 'fast', expected 'auto' or a number`,
      `run.yaml:7:1: data.path: missing, expected text`,
      `run.yaml:8:1: foo: unknown key; known keys: seed, output, method, hooks, wrap, train, data`,
    ]);
  });

  it('of an extended file name that file', async () => {
    write('base.yaml', `${good}train:\n  bach: 3\n`);
    expect(await mistakes('extends: base.yaml\n')).toEqual([`base.yaml:4:3: train.bach: unknown key; did you mean 'batch'?`]);
  });

  it('in a choice by `kind` are those of the kind that was meant', async () => {
    expect(await mistakes('method: { plugin: dots, head: { kind: conv, kernl: 3 } }\ndata: { path: a }\n')).toEqual([
      `run.yaml:1:45: method.head.kernl: unknown key; did you mean 'kernel'?`,
    ]);
    expect(await mistakes('method: { plugin: dots, head: { kind: con } }\ndata: { path: a }\n')).toEqual([
      `run.yaml:1:39: method.head.kind: wrong value, got 'con', expected one of 'linear', 'conv'; did you mean 'conv'?`,
    ]);
  });

  it('in words name the nearest word', async () => {
    expect(await mistakes(`${good}wrap:\n  - { plugin: halve, sampling: farthest }\n`)).toEqual([
      `run.yaml:4:32: wrap.0.sampling: wrong value, got 'farthest', expected one of 'random', 'furthest'; did you mean 'furthest'?`,
    ]);
  });

  it('in the length of a list say the length', async () => {
    expect(await mistakes(`${good}train: { betas: [0.9] }\n`)).toEqual(['run.yaml:3:17: train.betas: too short, got [0.9], expected at least 2 items']);
  });

  it('in an empty text say so once', async () => {
    expect(await mistakes('method: { plugin: "" }\ndata: { path: a }\n')).toEqual([`run.yaml:1:19: method.plugin: too short, got '', expected at least 1 letter`]);
  });

  it('about a method that is not said name the file', async () => {
    expect(await mistakes('data: { path: a }\n')).toEqual(['run.yaml:1:1: method: missing, expected a map']);
  });

  it('about plugins stand at their name', async () => {
    expect(await mistakes('method: { plugin: dost }\ndata: { path: a }\nwrap: [{ plugin: dots }]\nhooks: { targte: { plugin: dots }, target: { plugin: halve } }\n')).toEqual([
      `run.yaml:1:19: method.plugin: no plugin 'dost' is installed`,
      `run.yaml:3:18: wrap.0.plugin: 'dots' is a method, a wrapper is expected; name it under 'method' or 'hooks'`,
      `run.yaml:4:10: hooks.targte: unknown key; did you mean 'target'?`,
      `run.yaml:4:54: hooks.target.plugin: 'halve' is a wrapper, a method is expected; name it under 'wrap'`,
    ]);
  });

  it.each([
    ['a duplicate key', 'seed: 1\nseed: 2\n', /^run\.yaml:2:1: this key is set twice/],
    ['a tab', 'train:\n\tbatch: 2\n', /^run\.yaml:2:1: a tab indents this line/],
    ['broken YAML', 'train: { batch: 2\n', /^run\.yaml:\d+:\d+: this is not valid YAML/],
    ['a list', '- 1\n', /^run\.yaml:1:1: the file holds a list, a map of settings is expected/],
    ['nothing', '# just a comment\n', /^run\.yaml: the file is empty/],
    ['an alias of nothing', 'train: *nowhere\n', /^run\.yaml:1:8: .*nowhere/],
    ['an alias of itself', 'train: &t { a: *t }\n', /^run\.yaml:1:16: the alias '\*t' contains itself/],
    ['a map as key', '? { a: 1 }\n: 2\n', /^run\.yaml:1:3: a key must be a single word/],
    ['two documents', 'seed: 1\n---\nseed: 2\n', /^run\.yaml:2:1: a second document/],
  ])('in the YAML are located: %s', async (_, text, message) => {
    expect((await mistakes(text))[0]).toMatch(message);
  });

  it('do not let aliases unfold without end', async () => {
    const layers = Array.from({ length: 9 }, (_, i) => `k${i + 1}: &k${i + 1} [${Array(9).fill(`*k${i}`).join(', ')}]`);
    expect((await mistakes(['k0: &k0 [1]', ...layers, ''].join('\n')))[0]).toMatch(/unfold to too many values/);
  });

  it('name a file that does not exist, and the nearest preset', async () => {
    write('presets/tiny.yaml', good);
    expect((await mistakesOf('tinny.yaml'))[0]).toMatch(/tinny\.yaml: there is no such file or preset; did you mean 'tiny'\?/);
  });

  it('name a few presets that begin like the one asked for, else those of its folder, and how many there are', async () => {
    for (const name of ['mae/a1', 'mae/a2', 'mae/b', 'tec/c', ...Array.from({ length: 9 }, (_, i) => `mff/long-name-${i}`)]) write(`presets/${name}.yaml`, good);
    expect((await mistakesOf('mae/a')).join()).toContain('Presets: mae/a1, mae/a2, ... (13 in all)');
    expect((await mistakesOf('tec/something-else.yaml')).join()).toContain('Presets: tec/c, ... (13 in all)');
    expect((await mistakesOf('mff/long')).join()).toContain('mff/long-name-7, ... (13 in all)');
  });

  it('name a folder in place of a file', async () => {
    mkdirSync(join(folder, 'runs'));
    expect((await mistakesOf(join(folder, 'runs')))[0]).toMatch(/no such file/);
  });
});
