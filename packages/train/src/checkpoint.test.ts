import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError, readSafetensors, TrainingError } from '@mimlab/core';
import type { Engine } from '@mimlab/engine';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inTemporaryFolder, learnt, quadraticEngine, runConfig, SPECS } from '../testing/quadratic-run.js';
import { clearUnfinished, newestCheckpoint, saveCheckpoint, wholeCheckpoints } from './checkpoint.js';
import { restoreWeightFiles } from './checkpoint-files.js';
import { parameterState, pretrainStep } from './pretrain-step.js';
import { objective } from '../testing/quadratic-run.js';

const stateAt = (update: number): Parameters<typeof saveCheckpoint>[3] => ({ update, epoch: 1, batch: 2, seed: 7, samples: 10, config: runConfig(), engine: 'quadratic' });

async function someEngine(seed = 1): Promise<Engine> {
  const engine = quadraticEngine();
  await engine.define(parameterState(SPECS, seed));
  engine.compile(pretrainStep(objective, { mean: [0], std: [1] }, runConfig().train));
  return engine;
}

const save = async (folder: string, update: number, keep = 2, engine?: Engine): Promise<string> => saveCheckpoint(folder, engine ?? (await someEngine()), SPECS, stateAt(update), keep);

/** An engine whose disk runs full while the weights (0) or the optimizer state (1) are written. */
async function fullDiskAt(file: number, code = 'ENOSPC'): Promise<Engine> {
  const engine = await someEngine();
  let count = 0;
  return {
    ...engine,
    read: async (names) => {
      if (count++ === file) throw Object.assign(new Error(`${code}: write`), { code });
      return engine.read(names);
    },
  };
}

describe('a checkpoint', () => {
  it('holds weights with official names and layout, optimizer state, state and manifest', () =>
    inTemporaryFolder(async (folder) => {
      const path = await save(folder, 12);
      expect(path).toBe(join(folder, 'step-00000012'));
      expect(readdirSync(path).sort()).toEqual(['manifest.json', 'model.safetensors', 'optimizer.safetensors', 'state.json']);
      const { tensors } = await readSafetensors(join(path, 'model.safetensors'));
      expect(Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]))).toEqual({ 'head.weight': [3, 2], 'head.bias': [3], table: [2] });
      const optimizer = await readSafetensors(join(path, 'optimizer.safetensors'));
      expect(Object.keys(optimizer.tensors).sort()).toEqual(['adamw.m/head.bias', 'adamw.m/head.weight', 'adamw.v/head.bias', 'adamw.v/head.weight']);
    }));

  it('puts every value back into an engine', () =>
    inTemporaryFolder(async (folder) => {
      const engine = await someEngine(1);
      await engine.write({ 'adamw.v/head.weight': { shape: [2, 3], dtype: 'float32', data: Float32Array.of(1, 2, 3, 4, 5, 6) } });
      const path = await save(folder, 3, 2, engine);
      const other = await someEngine(2);
      expect(await learnt(other)).not.toEqual(await learnt(engine));
      await restoreWeightFiles(path, other, SPECS);
      expect(await learnt(other)).toEqual(await learnt(engine));
    }));

  it('is refused by another model, with what does not fit', () =>
    inTemporaryFolder(async (folder) => {
      const path = await save(folder, 3);
      const { 'head.bias': bias, ...rest } = SPECS;
      const other = { ...rest, 'tail.bias': bias } as typeof SPECS;
      await expect(restoreWeightFiles(path, await someEngine(), other)).rejects.toThrow(CheckpointError);
    }));

  it('replaces older ones beyond the number kept', () =>
    inTemporaryFolder(async (folder) => {
      for (const update of [3, 6, 9, 12]) await save(folder, update, 2);
      expect(readdirSync(folder).sort()).toEqual(['step-00000009', 'step-00000012']);
    }));

  it('replaces a damaged one of the same step', () =>
    inTemporaryFolder(async (folder) => {
      const path = await save(folder, 3);
      truncateSync(join(path, 'model.safetensors'), 10);
      await save(folder, 3);
      expect((await newestCheckpoint(folder))?.path).toBe(path);
    }));
});

describe('the newest whole checkpoint', () => {
  it('is none in a run without checkpoints', () =>
    inTemporaryFolder(async (folder) => {
      expect(await newestCheckpoint(folder)).toBeUndefined();
      expect(await newestCheckpoint(join(folder, 'missing'))).toBeUndefined();
    }));

  it('goes by the number, however many digits it has', () =>
    inTemporaryFolder(async (folder) => {
      await save(folder, 99_999_999, 5);
      await save(folder, 100_000_000, 5);
      expect((await newestCheckpoint(folder))?.state).toMatchObject({ update: 100_000_000, epoch: 1, batch: 2, samples: 10 });
    }));

  it('passes over a damaged one whichever byte of whichever file is wrong, and says so', () =>
    inTemporaryFolder(async (folder) => {
      const good = await save(folder, 3, 5);
      const bad = await save(folder, 6, 5);
      const kept = join(folder, 'kept');
      cpSync(bad, kept, { recursive: true });
      await fc.assert(
        fc.asyncProperty(fc.constantFrom('model.safetensors', 'optimizer.safetensors', 'state.json'), fc.nat(), async (name, where) => {
          cpSync(kept, bad, { recursive: true });
          const path = join(bad, name);
          const bytes = readFileSync(path);
          const at = where % bytes.length;
          bytes[at] = (bytes[at] as number) ^ 1;
          writeFileSync(path, bytes);
          const notices: string[] = [];
          expect((await newestCheckpoint(folder, (message) => notices.push(message)))?.path).toBe(good);
          expect(notices).toEqual([`${bad}: passed over, ${name} is damaged: its hash is not the one written`]);
        }),
        { numRuns: 20 },
      );
    }));

  it.each([
    ['has no manifest', (path: string) => rmSync(join(path, 'manifest.json')), 'manifest.json is missing'],
    ['has half a manifest', (path: string) => truncateSync(join(path, 'manifest.json'), 20), 'manifest.json cannot be read'],
    ['has a manifest that is JSON and no object', (path: string) => writeFileSync(join(path, 'manifest.json'), 'null'), 'manifest.json has format undefined, this version reads 1'],
    ['lacks its weights', (path: string) => rmSync(join(path, 'model.safetensors')), 'model.safetensors is missing'],
    ['is cut short', (path: string) => truncateSync(join(path, 'optimizer.safetensors'), 50), 'optimizer.safetensors has 50 bytes'],
    ['is too long', (path: string) => appendFileSync(join(path, 'state.json'), ' '), 'state.json has'],
  ])('passes over one that %s', (_, damage, reason) =>
    inTemporaryFolder(async (folder) => {
      const good = await save(folder, 3, 5);
      damage(await save(folder, 6, 5));
      const notices: string[] = [];
      expect((await newestCheckpoint(folder, (message) => notices.push(message)))?.path).toBe(good);
      expect(notices.join()).toContain(reason);
    }),
  );

  it('is an error, not a new beginning, when there are only damaged ones', () =>
    inTemporaryFolder(async (folder) => {
      rmSync(join(await save(folder, 3), 'manifest.json'));
      await expect(newestCheckpoint(folder)).rejects.toThrow(CheckpointError);
      await expect(newestCheckpoint(folder)).rejects.toThrow('none of the 1 checkpoints is whole');
    }));

  it('is never one that is still being written', () =>
    inTemporaryFolder(async (folder) => {
      const path = await save(folder, 3);
      cpSync(path, join(folder, '.unfinished-step-00000006'), { recursive: true });
      expect((await newestCheckpoint(folder))?.path).toBe(path);
      await clearUnfinished(folder);
      expect(readdirSync(folder)).toEqual(['step-00000003']);
    }));
});

describe('a disk that cannot be written', () => {
  it.each([
    ['ENOSPC', 'no space left on the disk'],
    ['EDQUOT', 'the disk quota is used up'],
    ['EROFS', 'the file system is read-only'],
  ])('%s: names path and remedy and leaves the checkpoints before untouched, wherever it happens', (code, problem) =>
    inTemporaryFolder(async (folder) => {
      const before = await save(folder, 3);
      for (const file of [0, 1]) {
        const error = await save(folder, 6, 1, await fullDiskAt(file, code)).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(TrainingError);
        expect(error).toMatchObject({ place: join(folder, 'step-00000006'), problem });
        expect((error as TrainingError).remedy).toContain('checkpoints are untouched');
      }
      expect(readdirSync(folder)).toEqual(['step-00000003']);
      expect((await newestCheckpoint(folder))?.path).toBe(before);
    }),
  );

  it('says so when a file stands where the folder should be', () =>
    inTemporaryFolder(async (folder) => {
      mkdirSync(join(folder, 'run'));
      writeFileSync(join(folder, 'run', 'checkpoints'), '');
      await expect(save(join(folder, 'run', 'checkpoints'), 3)).rejects.toThrow(/a part of this path is a file, not a folder/);
    }));
});

describe('all checkpoints of a run', () => {
  it('are listed oldest first', () =>
    inTemporaryFolder(async (folder) => {
      for (const update of [3, 12, 6]) await save(folder, update, 9);
      expect((await wholeCheckpoints(folder)).map(({ state }) => state.update)).toEqual([3, 6, 12]);
    }));

  it('leave out a damaged one, and say so', () =>
    inTemporaryFolder(async (folder) => {
      const damaged = await save(folder, 3, 9);
      await save(folder, 6, 9);
      truncateSync(join(damaged, 'model.safetensors'), 10);
      const notices: string[] = [];
      expect((await wholeCheckpoints(folder, (message) => notices.push(message))).map(({ state }) => state.update)).toEqual([6]);
      expect(notices).toEqual([expect.stringContaining(`${damaged}: passed over, model.safetensors has 10 bytes`)]);
    }));

  it('are none where training has not begun', () =>
    inTemporaryFolder(async (folder) => {
      expect(await wholeCheckpoints(join(folder, 'missing'))).toEqual([]);
    }));
});
