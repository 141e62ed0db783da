import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, DataError, readSafetensors, TrainingError } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idLoader, inTemporaryFolder, learnt, objective, quadraticEngine, runConfig, runQuadratic } from '../testing/quadratic-run.js';
import { readMetrics } from './metrics-log.js';

const stopAfter = (updates: number): { signal: AbortSignal; report: (record: { kind: string }) => void } => {
  const controller = new AbortController();
  let seen = 0;
  return {
    signal: controller.signal,
    report: (record) => {
      if (record.kind === 'update' && ++seen === updates) controller.abort();
    },
  };
};

describe('a run', () => {
  it('learns, and tells how long it will be before it begins', () =>
    inTemporaryFolder(async (folder) => {
      const { summary, records } = await runQuadratic(join(folder, 'run'), { config: runConfig({ epochs: 40 }) });
      const losses = records.flatMap((record) => (record.kind === 'update' ? [record.loss] : []));
      expect(records[0]).toMatchObject({ kind: 'start', update: 0, updates: 200, updatesPerEpoch: 5, samples: 10, effectiveBatch: 2, lr: 0.1, parameters: { trainable: 9, frozen: 2 } });
      expect(losses).toHaveLength(200);
      expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 2);
      expect(summary).toMatchObject({ outcome: 'finished', update: 200, loss: losses.at(-1) });
    }));

  it('starts with the values that the objective has from files, and asks for them once only', () =>
    inTemporaryFolder(async (folder) => {
      const table = { shape: [2], dtype: 'float32' as const, data: Float32Array.of(8, 9) };
      let asked = 0;
      const withFile = { ...objective, pretrained: async () => (asked++, { table }) };
      for (const resume of [false, true]) {
        const engine = quadraticEngine();
        await runQuadratic(join(folder, 'run'), { engine, objective: withFile, resume, config: runConfig({ epochs: 2 }) });
        expect((await engine.read(['table']))['table']).toMatchObject({ data: table.data });
      }
      expect(asked).toBe(1);
    }));

  it('gives every update its number and rate, the first rate being 0', () =>
    inTemporaryFolder(async (folder) => {
      const engine = quadraticEngine();
      await runQuadratic(join(folder, 'run'), { engine, config: runConfig({ epochs: 2 }) });
      expect(engine.runs.map(({ update }) => update)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(engine.runs.slice(0, 6).map(({ lr }) => lr)).toEqual([0, 1 / 5, 2 / 5, 3 / 5, 4 / 5, 1].map((part) => expect.closeTo(part * 0.1, 12)));
    }));

  it('gives every buffer back to the loader', () =>
    inTemporaryFolder(async (folder) => {
      const loader = idLoader();
      await runQuadratic(join(folder, 'run'), { openLoader: async () => loader, config: runConfig({ epochs: 2 }) });
      expect(loader.released).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
    }));

  it('adds up micro-batches under one rate and throws away those left over at the end of an epoch', () =>
    inTemporaryFolder(async (folder) => {
      const engine = quadraticEngine();
      const { records } = await runQuadratic(join(folder, 'run'), { engine, config: runConfig({ epochs: 2, accumulate: 2 }) });
      expect(engine.runs.map(({ update, phase }) => `${update} ${phase}`)).toEqual([
        '1 accumulate', '1 apply', '2 accumulate', '2 apply',
        '3 accumulate', '3 apply', '4 accumulate', '4 apply',
      ]);
      expect(engine.runs[2]?.lr).toBe(engine.runs[3]?.lr);
      expect(records[0]).toMatchObject({ updatesPerEpoch: 2, updates: 4, effectiveBatch: 4 });
    }));

  it('refuses an epoch too short for one update before anything is computed', () =>
    inTemporaryFolder(async (folder) => {
      const run = runQuadratic(join(folder, 'run'), { config: runConfig({ accumulate: 6 }) });
      await expect(run).rejects.toThrow(ConfigError);
      await expect(run).rejects.toThrow('an epoch of 10 samples has 5 batches of 2, fewer than the 6 of one update');
    }));

  it('does not wait for ever for a loader that ends early', () =>
    inTemporaryFolder(async (folder) => {
      const run = runQuadratic(join(folder, 'run'), { openLoader: async () => idLoader({ endsAt: 3 }) });
      await expect(run).rejects.toThrow(DataError);
      await expect(run).rejects.toThrow('ended at batch 3 of 5');
    }));
});

describe('logs', () => {
  it('have a row for the first update, every logEvery-th and the last', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run');
      const { records } = await runQuadratic(path, { config: runConfig({ epochs: 1, warmupEpochs: 0.5 }) });
      const rows = await readMetrics(join(path, 'metrics.jsonl'));
      expect(rows.map(({ step }) => step)).toEqual([1, 2, 4, 5]);
      expect(rows.at(-1)).toMatchObject({ epoch: 1, paramNorm: 2, updateNorm: 3, parts: { retained: (rows.at(-1)?.loss as number) / 2 } });
      expect(records.filter(({ kind }) => kind === 'metrics')).toEqual(rows.map((row) => ({ kind: 'metrics', row })));
    }));

  it('leave an environment without names of users and hosts', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run');
      await runQuadratic(path);
      const environment: unknown = JSON.parse(readFileSync(join(path, 'environment.json'), 'utf8'));
      expect(environment).toMatchObject({ engine: { kind: 'eager', description: 'quadratic', precision: 'fp32' }, versions: { node: process.version } });
      expect(Object.keys((environment as { host: object }).host)).toEqual(['system', 'processor', 'threads', 'memoryGiB']);
    }));
});

describe('an interrupted run', () => {
  it('reaches the same weights, moments and rows as an undisturbed one, wherever it was stopped', () =>
    fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: 19 }), { minLength: 1, maxLength: 3 }), fc.constantFrom(1, 2), async (stops, accumulate) =>
        inTemporaryFolder(async (folder) => {
          const config = runConfig({ accumulate });
          const whole = await runQuadratic(join(folder, 'whole'), { config });
          const path = join(folder, 'stopped');
          let last = await runQuadratic(path, { config, ...stopAfter(stops[0] as number) });
          for (const stop of [...stops.slice(1), Infinity]) last = await runQuadratic(path, { config, resume: true, ...stopAfter(stop) });
          expect(last.summary.outcome).toBe('finished');
          expect(await learnt(last.engine)).toEqual(await learnt(whole.engine));
          const losses = async (run: string): Promise<unknown> => (await readMetrics(join(folder, run, 'metrics.jsonl'))).map(({ step, loss, lr, gradNorm }) => [step, loss, lr, gradNorm]);
          expect(await losses('stopped')).toEqual(await losses('whole'));
        }),
      ),
      { numRuns: 8 },
    ));

  it('finishes the update at hand, writes a checkpoint and says it was stopped', () =>
    inTemporaryFolder(async (folder) => {
      const { summary } = await runQuadratic(join(folder, 'run'), { ...stopAfter(4) });
      expect(summary).toMatchObject({ outcome: 'stopped', update: 4, updates: 20 });
      expect(summary.checkpoint).toBe(join(folder, 'run', 'checkpoints', 'step-00000004'));
    }));

  it('computes nothing when it was finished already', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run');
      const first = await runQuadratic(path);
      const engine = quadraticEngine();
      const { summary } = await runQuadratic(path, { resume: true, engine });
      expect(summary).toMatchObject({ outcome: 'finished', update: 20, loss: undefined });
      expect(engine.runs).toEqual([]);
      expect(await learnt(engine)).toEqual(await learnt(first.engine));
    }));

  it('says which keys differ when it is resumed with another configuration', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run');
      await runQuadratic(path, { ...stopAfter(4) });
      const resumed = runQuadratic(path, { resume: true, config: runConfig({ lr: 0.2, logEvery: 5 }) });
      await expect(resumed).rejects.toThrow(TrainingError);
      await expect(resumed).rejects.toThrow('train.lr: was 0.1, is 0.2');
      await expect(resumed).rejects.not.toThrow('logEvery');
    }));

  it('says what it dropped, and when it goes on another engine', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run');
      await runQuadratic(path, { config: runConfig({ logEvery: 1, checkpointEvery: 3 }), engine: quadraticEngine({ failAt: 6 }) }).catch(() => undefined);
      const { records } = await runQuadratic(path, { resume: true, config: runConfig({ logEvery: 1 }), engine: quadraticEngine({ description: 'other' }) });
      expect(records.flatMap((record) => (record.kind === 'notice' ? [record.message] : []))).toEqual([
        `${join(path, 'metrics.jsonl')}: 2 rows after step 3 dropped, they are computed again`,
        'the run was on another engine (quadratic), now on other: weights may differ in their last bits',
      ]);
    }));

  it('begins anew when it has no checkpoint yet, and says so', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run');
      await runQuadratic(path, { engine: quadraticEngine({ failAt: 2 }) }).catch(() => undefined);
      const { records, summary } = await runQuadratic(path, { resume: true });
      expect(records).toContainEqual({ kind: 'notice', message: `${path}: no checkpoint yet, training starts at the beginning` });
      expect(summary.update).toBe(20);
    }));

  it('refuses a data set of another size', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'run');
      await runQuadratic(path, { ...stopAfter(4) });
      const resumed = runQuadratic(path, { resume: true, openLoader: async () => idLoader({ size: 12 }) });
      await expect(resumed).rejects.toThrow('the run was made with 10 samples, the data set has 12');
    }));
});

describe('a loss that is not finite', () => {
  const failing = (folder: string): Promise<unknown> => runQuadratic(join(folder, 'run'), { engine: quadraticEngine({ failAt: 5 }), openLoader: async () => idLoader() });

  it('stops the run, naming step, samples, parameter and the checkpoint that stays', () =>
    inTemporaryFolder(async (folder) => {
      const ids: number[] = [];
      for await (const batch of idLoader().epoch(0, 4)) ids.push(...batch.sampleIds);
      const samples = ids.map((id) => `id ${id}`).join(', ');
      const error = await failing(folder).then(
        () => undefined,
        (reason: unknown) => reason as TrainingError,
      );
      expect(error).toBeInstanceOf(TrainingError);
      expect(error?.message).toContain('step 5: loss NaN, gradient norm Infinity; first bad gradient: head.weight');
      expect(error?.message).toContain(`epoch 0, batch 4`);
      expect(error?.message).toContain(`samples: ${samples}`);
      expect(error?.message).toContain(join('checkpoints', 'step-00000003'));
      expect(readdirSync(join(folder, 'run', 'checkpoints'))).toEqual(['step-00000003']);
    }));

  it('leaves inputs, weights and state of that moment', () =>
    inTemporaryFolder(async (folder) => {
      await failing(folder).catch(() => undefined);
      const dump = join(folder, 'run', 'dump-step-5');
      const { tensors } = await readSafetensors(join(dump, 'inputs.safetensors'));
      const state = JSON.parse(readFileSync(join(dump, 'state.json'), 'utf8')) as { sampleIds: number[] };
      expect(Object.keys(tensors).sort()).toEqual(['images', 'random.noise']);
      expect([...(tensors.images?.data ?? [])]).toEqual(state.sampleIds);
      expect(state).toMatchObject({ update: 5, epoch: 0, batch: 4, loss: 'NaN', gradNorm: 'Infinity', firstBadParameter: 'head.weight' });
      expect(readdirSync(dump).sort()).toEqual(['inputs.safetensors', 'model.safetensors', 'optimizer.safetensors', 'state.json']);
    }));

  it('stops the run for its own reason even where its record cannot be written', () =>
    inTemporaryFolder(async (folder) => {
      const engine = quadraticEngine({ failAt: 5 });
      const full = { ...engine, read: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })) };
      const run = runQuadratic(join(folder, 'run'), { engine: full, config: runConfig({ checkpointEvery: 100 }) });
      await expect(run).rejects.toThrow(/step 5: loss NaN[^]*could not be written to [^]*no space left on the disk[^]*There is no checkpoint yet/);
      expect(readdirSync(join(folder, 'run')).filter((name) => name.includes('dump'))).toEqual([]);
    }));

  it('gives its buffers back to the loader all the same', () =>
    inTemporaryFolder(async (folder) => {
      const loader = idLoader();
      await runQuadratic(join(folder, 'run'), { engine: quadraticEngine({ failAt: 2 }), openLoader: async () => loader, objective }).catch(() => undefined);
      expect(loader.released).toEqual([0, 1]);
    }));
});
