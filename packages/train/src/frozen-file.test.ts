import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError, readSafetensors, TrainingError, type Objective, type ParamSpecs } from '@mimlab/core';
import type { Engine } from '@mimlab/engine';
import { describe, expect, it } from 'vitest';
import { inTemporaryFolder, quadraticEngine, runConfig, SPECS } from '../testing/quadratic-run.js';
import { clearUnfinished, newestCheckpoint, saveCheckpoint } from './checkpoint.js';
import { restoreWeightFiles } from './checkpoint-files.js';
import { restoreFrozenFile, splitFrozen, writeFrozenFile, type FrozenFile } from './frozen-file.js';
import { parameterState } from './pretrain-step.js';

const TEACHER: ParamSpecs = {
  'teacher.weight': { shape: [2, 2], trainable: false, layout: { kind: 'linear' }, init: () => Float32Array.of(1, 2, 3, 4) },
  'teacher.bias': { shape: [2], trainable: false, layout: { kind: 'same' }, init: () => Float32Array.of(5, 6) },
};
const TAUGHT: ParamSpecs = { ...SPECS, scale: { shape: [1], trainable: true, layout: { kind: 'same' }, init: () => Float32Array.of(1) }, ...TEACHER };
const taught = { params: () => TAUGHT, target: { params: () => ({ scale: TAUGHT['scale'], ...TEACHER }) } } as unknown as Objective;
const state = (update: number): Parameters<typeof saveCheckpoint>[3] => ({ update, epoch: 1, batch: 2, seed: 7, samples: 10, config: runConfig(), engine: 'quadratic' });

async function someEngine(seed = 1): Promise<Engine> {
  const engine = quadraticEngine();
  await engine.define(parameterState(TAUGHT, seed));
  return engine;
}
const values = async (engine: Engine): Promise<number[][]> => Object.values(await engine.read(Object.keys(TEACHER))).map(({ data }) => [...(data as Float32Array)]);
const blank = async (): Promise<Engine> => {
  const engine = await someEngine();
  await engine.write(Object.fromEntries(Object.entries(TEACHER).map(([name, { shape }]) => [name, { shape, dtype: 'float32', data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }])));
  return engine;
};
const written = async (folder: string): Promise<FrozenFile> => writeFrozenFile(folder, await someEngine(), TEACHER);

describe('parameters of a run', () => {
  it('are stored once where the target has them frozen; position tables and what learns stay with the model', () => {
    const { own, frozen } = splitFrozen(taught);
    expect(Object.keys(frozen)).toEqual(['teacher.weight', 'teacher.bias']);
    expect(Object.keys(own)).toEqual(['head.weight', 'head.bias', 'table', 'scale']);
  });

  it('all stay with the model where the target has none', () => {
    const plain = { params: () => SPECS, target: {} } as unknown as Objective;
    expect(splitFrozen(plain)).toEqual({ own: SPECS, frozen: {} });
  });
});

describe('the file of frozen parameters', () => {
  it('is named by its hash, and holds official names and layout', () =>
    inTemporaryFolder(async (folder) => {
      const { file, bytes, sha256 } = await written(folder);
      expect(file).toBe(`frozen/${sha256}.safetensors`);
      expect(statSync(join(folder, file)).size).toBe(bytes);
      const { tensors } = await readSafetensors(join(folder, file));
      expect([...(tensors['teacher.weight']?.data ?? [])]).toEqual([1, 3, 2, 4]);
      expect(readdirSync(folder)).toEqual(['frozen']);
    }));

  it('is the same for the same values, and another for others', () =>
    inTemporaryFolder(async (folder) => {
      expect(await written(folder)).toEqual(await written(folder));
      expect((await writeFrozenFile(folder, await blank(), TEACHER)).file).not.toBe((await written(folder)).file);
      expect(readdirSync(join(folder, 'frozen'))).toHaveLength(2);
    }));

  it('gives an engine its values back', () =>
    inTemporaryFolder(async (folder) => {
      const engine = await blank();
      await restoreFrozenFile(folder, await written(folder), engine, TEACHER);
      expect(await values(engine)).toEqual([[1, 2, 3, 4], [5, 6]]);
    }));

  it.each([
    ['is missing', (path: string) => rmSync(path), 'are missing'],
    ['was cut off', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 50)), 'have 50 bytes'],
    ['has other bytes', (path: string) => writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, -1), Buffer.of(9)])), 'are damaged: their hash is not the one written'],
  ])('is refused where it %s, by path and with a remedy', (_what, break_, problem) =>
    inTemporaryFolder(async (folder) => {
      const frozen = await written(folder);
      break_(join(folder, frozen.file));
      const error: unknown = await restoreFrozenFile(folder, frozen, await blank(), TEACHER).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(CheckpointError);
      expect(error).toMatchObject({ place: join(folder, frozen.file) });
      expect((error as CheckpointError).problem).toContain(problem);
      expect((error as CheckpointError).remedy).toContain('All checkpoints of the run need it');
    }),
  );

  it('is refused by a teacher of another size', () =>
    inTemporaryFolder(async (folder) => {
      const other = { ...TEACHER, 'teacher.bias': { ...TEACHER['teacher.bias']!, shape: [3] } };
      await expect(restoreFrozenFile(folder, await written(folder), await blank(), other)).rejects.toThrow(/'teacher\.bias' has shape \[2\], the model has \[3\]/);
    }));

  it('leaves nothing behind on a full disk, and what a kill leaves is cleared away', () =>
    inTemporaryFolder(async (folder) => {
      const engine = await someEngine();
      const full: Engine = { ...engine, read: () => Promise.reject(Object.assign(new Error('write'), { code: 'ENOSPC' })) };
      await expect(writeFrozenFile(folder, full, TEACHER)).rejects.toThrow(TrainingError);
      expect(readdirSync(join(folder, 'frozen'))).toEqual([]);
      writeFileSync(join(folder, '.unfinished-frozen.safetensors'), 'half');
      await clearUnfinished(folder);
      expect(readdirSync(folder)).toEqual(['frozen']);
    }));
});

describe('a checkpoint of a run with frozen parameters', () => {
  const { own } = splitFrozen(taught);

  it('names the file instead of holding the values, and is put together again from both', () =>
    inTemporaryFolder(async (folder) => {
      const engine = await someEngine(1);
      const frozen = await written(folder);
      const path = await saveCheckpoint(folder, engine, own, state(3), 2, undefined, frozen);
      expect(Object.keys((await readSafetensors(join(path, 'model.safetensors'))).tensors)).not.toContain('teacher.weight');
      const found = await newestCheckpoint(folder);
      expect(found).toMatchObject({ path, frozen });
      const other = await blank();
      await restoreWeightFiles(path, other, own);
      await restoreFrozenFile(folder, found?.frozen as FrozenFile, other, TEACHER);
      expect(await values(other)).toEqual(await values(engine));
    }));

  it('leaves the file alone when older checkpoints go', () =>
    inTemporaryFolder(async (folder) => {
      const frozen = await written(folder);
      for (const update of [3, 6, 9]) await saveCheckpoint(folder, await someEngine(), own, state(update), 1, undefined, frozen);
      expect(readdirSync(folder).sort()).toEqual(['frozen', 'step-00000009']);
      expect(readdirSync(join(folder, 'frozen'))).toHaveLength(1);
    }));

  it('is refused where its manifest leads out of the folder', () =>
    inTemporaryFolder(async (folder) => {
      const path = await saveCheckpoint(folder, await someEngine(), own, state(3), 1, undefined, { ...(await written(folder)), file: '../../elsewhere.safetensors' });
      await expect(newestCheckpoint(folder)).rejects.toThrow(new RegExp(`${path}.*names frozen parameters in a way`));
    }));

  it('still counts as whole for those who only read its model, where the file has been moved', () =>
    inTemporaryFolder(async (folder) => {
      const path = await saveCheckpoint(folder, await someEngine(), own, state(3), 1, undefined, await written(folder));
      mkdirSync(join(folder, 'aside'));
      renameSync(join(folder, 'frozen'), join(folder, 'aside', 'frozen'));
      expect((await newestCheckpoint(folder))?.path).toBe(path);
    }));
});
