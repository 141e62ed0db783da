import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProtocol } from '@mimlab/evaluate';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { evaluationConfig, namedData } from './evaluation-config.js';
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
