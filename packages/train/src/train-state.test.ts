import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inTemporaryFolder, runConfig } from '../testing/quadratic-run.js';
import type { RunConfig } from './config.js';
import { checkResumable, configDifferences, configHash, readTrainState, writeTrainState, type TrainState } from './train-state.js';

const config = runConfig({}, { output: 'runs/a', data: { dataset: 'mnist', path: '/data', workers: 2, prefetch: 2, augment: { kind: 'none' } }, engine: { kind: 'graph', threads: 2 }, wrap: [{ plugin: 'pr-mim', throw: 0.5 }] });
type Section = Record<string, unknown>;
interface Draft extends Section {
  data: Section;
  engine: Section;
  train: Section;
  wrap: Section[];
}
const changed = (change: (copy: Draft) => void): RunConfig => {
  const copy = structuredClone(config) as unknown as Draft;
  change(copy);
  return copy as unknown as RunConfig;
};
const state: Omit<TrainState, 'format' | 'configHash'> = { update: 5, epoch: 1, batch: 2, seed: 7, samples: 10, config, engine: 'eager' };

describe('configurations', () => {
  it('agree whatever the order of their keys', () => {
    const reversed = Object.fromEntries(Object.entries(config).reverse()) as RunConfig;
    expect(configHash(reversed)).toBe(configHash(config));
    expect(configDifferences(config, reversed)).toEqual([]);
  });

  it('may differ in where things lie and how fast and loudly the run goes', () => {
    const other = changed((copy) => {
      copy.output = 'runs/b';
      copy.extends = 'preset';
      Object.assign(copy.data, { path: '/elsewhere', workers: 0, prefetch: 9, cacheMiB: 0 });
      copy.engine.threads = 16;
      Object.assign(copy.train, { logEvery: 1, checkpointEvery: 1, keepCheckpoints: 9 });
    });
    expect(configDifferences(config, other)).toEqual([]);
    expect(configHash(other)).toBe(configHash(config));
  });

  it('differ by name and value of every key that decides the weights', () => {
    const other = changed((copy) => {
      copy.seed = 8;
      copy.wrap[0]!.throw = 0.4;
      copy.train.clipNorm = 1;
      delete copy.data.augment;
    });
    expect(configDifferences(config, other)).toEqual([
      { key: 'data.augment.kind', before: '"none"', now: 'not set' },
      { key: 'seed', before: '7', now: '8' },
      { key: 'wrap.0.throw', before: '0.5', now: '0.4' },
      { key: 'train.clipNorm', before: 'not set', now: '1' },
    ]);
    expect(configHash(other)).not.toBe(configHash(config));
  });

  it('have equal hashes exactly when nothing decisive differs', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()), (one, two) => {
        const [a, b] = [runConfig({}, { method: one }), runConfig({}, { method: two })];
        expect(configHash(a) === configHash(b)).toBe(configDifferences(a, b).length === 0);
      }),
    );
  });

  it('survive JSON: a run resumed from its own state never differs from itself', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.jsonValue(), fc.constant(undefined))), (method) => {
        const given = runConfig({}, { method });
        expect(configDifferences(JSON.parse(JSON.stringify(given)) as RunConfig, given)).toEqual([]);
      }),
    );
  });
});

describe('state.json', () => {
  it('gives back what was written', () =>
    inTemporaryFolder(async (folder) => {
      await writeTrainState(folder, state);
      expect(await readTrainState(folder)).toEqual({ format: 1, configHash: configHash(config), ...state });
    }));

  it.each([
    ['{"format":2}', 'has format 2, this version reads 1'],
    ['[]', 'has format undefined'],
    ['{', 'cannot be read as JSON'],
    [JSON.stringify({ format: 1, ...state, batch: -1 }), 'batch is missing'],
    [JSON.stringify({ format: 1, ...state, config: null }), 'config is missing'],
  ])('%s is refused', (text, reason) =>
    inTemporaryFolder(async (folder) => {
      writeFileSync(join(folder, 'state.json'), text);
      await expect(readTrainState(folder)).rejects.toThrow(CheckpointError);
      await expect(readTrainState(folder)).rejects.toThrow(reason);
    }),
  );
});

describe('resuming', () => {
  const whole: TrainState = { format: 1, configHash: configHash(config), ...state };

  it('is allowed with the same configuration and data set', () => {
    expect(() => checkResumable(whole, config, 10, 'run')).not.toThrow();
  });

  it('lists all differences at once', () => {
    const other = changed((copy) => {
      copy.seed = 8;
      copy.train.epochs = 5;
    });
    expect(() => checkResumable(whole, other, 10, 'run')).toThrow(/seed: was 7, is 8\n.*train\.epochs: was 4, is 5/);
  });
});
