import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@mimlab/core';
import { findProtocol } from '@mimlab/evaluate';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { evaluationConfig, namedData, type EvaluationConfig, type EvaluationRequest } from './evaluation-config.js';
import { findModel } from './model-source.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-data-'));
const home = process.cwd();
afterEach(() => {
  process.chdir(home);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('data on the command line', () => {
  it('are a kind with its path, or a path alone, which is an image folder', () => {
    expect(namedData('cifar10:data/cifar')).toEqual({ dataset: 'cifar10', path: 'data/cifar' });
    expect(namedData('mnist')).toEqual({ dataset: 'mnist' });
    expect(namedData('./pets')).toEqual({ dataset: 'imagefolder', path: './pets' });
  });

  it('may be the name of a folder that is there', () => {
    mkdirSync(join(folder, 'pets'));
    process.chdir(folder);
    expect(namedData('pets')).toEqual({ dataset: 'imagefolder', path: 'pets' });
    expect(() => namedData('no-such-pets')).toThrow(/there is no data set 'no-such-pets'/);
  });

  it('may have colons in a path, and a folder may be called like a kind', () => {
    expect(namedData('parquet:C:\\pets')).toEqual({ dataset: 'parquet', path: 'C:\\pets' });
    mkdirSync(join(folder, 'my:pets'));
    process.chdir(folder);
    expect(namedData('my:pets')).toEqual({ dataset: 'imagefolder', path: 'my:pets' });
    expect(namedData('C:\\pets')).toEqual({ dataset: 'imagefolder', path: 'C:\\pets' });
  });

  it('of a misspelt kind are told of, the nearest one named', () => {
    expect(() => namedData('cifar1:data/cifar')).toThrow(/--data: there is no data set 'cifar1:data\/cifar'.*'cifar10+'/);
    expect(() => namedData('')).toThrow(/there is no data set ''/);
  });
});

describe('the configuration of an evaluation', () => {
  async function configured(changed: Partial<EvaluationRequest> = {}, config = 'mae/cifar10-tiny'): Promise<EvaluationConfig> {
    const source = await findModel(config, { untrained: true, notice: () => undefined });
    return evaluationConfig({ protocol: await findProtocol('knn'), source, set: ['data.path=cifar'], labels: 'all', seed: 3, ...changed });
  }

  it('keeps data, size and statistics of pre-training, but for its augmentation', async () => {
    const { data, seed, labels } = await configured();
    expect(data).toMatchObject({ dataset: 'cifar10', path: 'cifar', size: [32, 32], channels: 3, augment: { kind: 'none' } });
    expect(data.mean).toHaveLength(3);
    expect([seed, labels]).toEqual([3, 'all']);
  });

  it('takes the statistics of pre-training to other data, and not its path', async () => {
    const kept = (await configured()).data;
    expect((await configured({ data: 'cifar100:other', set: [] })).data).toMatchObject({ dataset: 'cifar100', path: 'other', mean: kept.mean, std: kept.std });
    await expect(configured({ data: 'cifar100', set: [] })).rejects.toThrow(/data\.path: 'cifar100' needs the folder/);
  });

  it('parts settings between sections and the protocol', async () => {
    const config = await configured({ set: ['data.path=x', 'engine.threads=2', 'test.cropFraction=0.5', 'k=7'] });
    expect(config.protocol).toMatchObject({ name: 'knn', settings: { k: 7, temperature: 0.07 } });
    expect(config.engine.threads).toBe(2);
    expect(config.test.cropFraction).toBe(0.5);
  });

  it('refuses keys and values that its sections do not know', async () => {
    await expect(configured({ set: ['data.sise=32'] })).rejects.toThrow(/data\.sise: unknown key/);
    await expect(configured({ set: ['test.cropFraction=0'] })).rejects.toThrow(/test\.cropFraction: /);
    await expect(configured({ set: ['engine.kind=tpu'] })).rejects.toThrow(/engine\.kind: /);
  });

  it('refuses an augmentation of the data, which would have no effect', async () => {
    await expect(configured({ set: ['data.path=x', 'data.augment={kind: none}'] })).rejects.toThrow(/--set data\.augment: test images are not augmented/);
  });

  it.each(['5', 'null', '[1]', 'mnist'])('refuses a section that is set to %s', async (value) => {
    const error: unknown = await configured({ set: [`data=${value}`] }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toMatch(/--set data: is a section with keys, not .*\n.*--set data\.KEY=VALUE/);
  });

  it('knows weights by what is in them, not by their name', async () => {
    const source = await findModel('mae/cifar10-tiny', { untrained: true, notice: () => undefined });
    const weightsOf = async (name: string, content: string): Promise<unknown> => {
      writeFileSync(join(folder, name), content);
      return (await configured({ source: { ...source, weights: join(folder, name) } })).model['weights'];
    };
    expect(await weightsOf('a', '')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(await weightsOf('b', 'x')).toBe(await weightsOf('c', 'x'));
    expect((await configured()).model['weights']).toBe('untrained');
  });
});

describe('test images', () => {
  const fraction = async (...set: string[]): Promise<number> => {
    const source = await findModel('mae/cifar10-tiny', { untrained: true, notice: () => undefined });
    const { test } = await evaluationConfig({ protocol: await findProtocol('knn'), source, data: 'imagefolder:pets', set, labels: 'all', seed: 0 });
    return test.cropFraction;
  };

  it('are taken whole where they are small, in an image folder too', async () => {
    expect(await fraction('data.size=32')).toBe(1);
    expect(await fraction('data.size=64')).toBe(1);
  });

  it('have their middle cut out as official codes do up to 224 pixels, unless told otherwise', async () => {
    expect(await fraction('data.size=224')).toBe(0.875);
    expect(await fraction('data.size=384')).toBe(1);
    expect(await fraction('data.size=224', 'test.cropFraction=1')).toBe(1);
  });
});
