import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ParamSpecs } from '@mimlab/core';
import type { Engine } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { cpuEngine, temporaryFolder } from '../../testing/tiny-evaluation.js';
import { defineParameters } from '../model/define-state.js';
import { openEvaluationFolder, type CurveRow, type EvaluationFolder } from '../protocol/evaluation-folder.js';
import type { EvaluationRecord } from '../protocol/protocol.js';
import { tune, type TuneBatch, type TuneOptions } from './tune-loop.js';

const root = temporaryFolder();
const specs: ParamSpecs = { w: { shape: [1], trainable: true, layout: { kind: 'same' }, init: () => Float32Array.of(0) } };
const held: { engine: Engine; folder: EvaluationFolder }[] = [];
let count = 0;
/** What was asked of the data, and what was given back. */
let asked: [epoch: number, from: number][] = [];
let released: string[] = [];

afterEach(async () => {
  for (const { engine, folder } of held.splice(0)) {
    engine.dispose();
    await folder.release();
  }
  asked = [];
  released = [];
});

/** Two batches an epoch; batch i of epoch e wants w to be 10 e + i. */
async function* batches(epoch: number, from: number): AsyncGenerator<TuneBatch> {
  asked.push([epoch, from]);
  for (let index = from; index < 2; index++) {
    yield { index, images: 4, inputs: { goal: { shape: [1], dtype: 'float32', data: Float32Array.of(10 * epoch + index) } }, release: () => released.push(`${epoch}.${index}`) };
  }
}

async function setUp(path = join(root, `run-${count++}`), more: Partial<TuneOptions> = {}) {
  const engine = await cpuEngine();
  const folder = await openEvaluationFolder(path, { seed: 1 });
  held.push({ engine, folder });
  await defineParameters(engine, specs, {}, 0);
  const records: EvaluationRecord[] = [];
  const controller = new AbortController();
  const options: TuneOptions = {
    engine,
    folder,
    seed: 1,
    signal: controller.signal,
    report: (record) => records.push(record),
    step: {
      name: 'learn',
      state: ['w'],
      optimize: { updates: { w: { rule: { kind: 'adamw', beta1: 0.9, beta2: 0.999, eps: 1e-8 }, decay: 0, lrScale: 1 } }, accumulate: more.accumulate ?? 1 },
      compute: ({ w }, { goal }) => ({ loss: tf.sum(tf.square(tf.sub(w as tf.Tensor, goal as tf.Tensor))) as tf.Scalar }),
    },
    specs,
    epochs: 3,
    batchesPerEpoch: 2,
    accumulate: 1,
    schedule: (epoch, iteration) => 0.1 * (1 + epoch) + 0.01 * iteration,
    samples: 8,
    checkpointEvery: 100,
    batches,
    ...more,
  };
  const w = async (): Promise<number> => (await engine.read(['w']))['w']?.data[0] as number;
  const curve = (): CurveRow[] => readFileSync(join(path, 'curve.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as CurveRow);
  return { path, options, records, controller, w, curve, checkpoints: () => readdirSync(folder.checkpoints) };
}

describe('training on batches', () => {
  it('goes through every batch of every epoch once, and gives each back', async () => {
    const { options } = await setUp();
    await tune(options);
    expect(asked).toEqual([[0, 0], [1, 0], [2, 0]]);
    expect(released).toEqual(['0.0', '0.1', '1.0', '1.1', '2.0', '2.1']);
  });

  it('reports every update, and writes the last one down with the rate of its batch', async () => {
    const { options, records, curve } = await setUp();
    await tune(options);
    const progress = records.filter((record) => record.kind === 'progress');
    expect(progress.map(({ done, total, unitsEach }) => [done, total, unitsEach])).toEqual([1, 2, 3, 4, 5, 6].map((update) => [update, 6, 4]));
    expect(curve()).toHaveLength(1);
    expect(curve()[0]).toMatchObject({ step: 6, epoch: 3, lr: 0.1 * 3 + 0.01 });
  });

  it('adds up the batches of an update, leaves the rest of an epoch out, and tells their mean loss', async () => {
    const { options, curve } = await setUp(undefined, { accumulate: 2, epochs: 1, batchesPerEpoch: 3 });
    await tune({ ...options, schedule: () => 0 });
    // w is 0 at both batches: losses 0 and 1, gradients 0 and -2, averaged.
    expect(curve()).toEqual([{ step: 1, epoch: 1, loss: 0.5, lr: 0, gradNorm: 1 }]);
    expect(released).toEqual(['0.0', '0.1']);
  });

  it('is refused where an epoch holds no whole update, with what to do', async () => {
    const { options } = await setUp(undefined, { accumulate: 3 });
    await expect(tune(options)).rejects.toThrow(/accumulate: 8 labelled images give 2 batches an epoch, fewer than the 3 of one update\n.*Lower batch or accumulate/);
  });

  it('leaves one checkpoint, of the end', async () => {
    const { options, checkpoints } = await setUp(undefined, { checkpointEvery: 2 });
    await tune(options);
    expect(checkpoints()).toHaveLength(1);
  });
});

describe('training that is interrupted', () => {
  it('stops after a checkpoint and goes on in the middle of an epoch, to the same numbers', async () => {
    const whole = await setUp();
    await tune(whole.options);
    const first = await setUp();
    const report = (record: EvaluationRecord): void => {
      if (record.kind === 'progress' && record.done === 3) first.controller.abort();
    };
    await expect(tune({ ...first.options, report })).rejects.toThrow('the evaluation was stopped');
    await held.pop()?.folder.release();
    asked = [];
    const second = await setUp(first.path);
    await tune(second.options);
    expect(asked).toEqual([[1, 1], [2, 0]]);
    expect(second.records[0]).toEqual({ kind: 'notice', message: 'going on after update 3 of 6' });
    expect(await second.w()).toBe(await whole.w());
    expect(second.curve()).toEqual(whole.curve());
  });

  it('does nothing more where it was done', async () => {
    const first = await setUp();
    await tune(first.options);
    await held.pop()?.folder.release();
    asked = [];
    const second = await setUp(first.path);
    await tune(second.options);
    expect(asked).toEqual([]);
    expect(await second.w()).toBe(await first.w());
  });

  it('refuses to go on with another number of images', async () => {
    const first = await setUp();
    await tune(first.options);
    await held.pop()?.folder.release();
    const second = await setUp(first.path, { samples: 9 });
    await expect(tune(second.options)).rejects.toThrow(/8.*9|9.*8/);
  });
});

describe('training that fails', () => {
  it('names update, epoch and rate where the loss is not finite, and keeps no checkpoint of it', async () => {
    async function* broken(epoch: number, from: number): AsyncGenerator<TuneBatch> {
      for await (const batch of batches(epoch, from)) {
        yield epoch === 1 ? { ...batch, inputs: { goal: { shape: [1], dtype: 'float32', data: Float32Array.of(NaN) } } } : batch;
      }
    }
    const { options, checkpoints, path } = await setUp(undefined, { batches: broken });
    await expect(tune(options)).rejects.toThrow(/update 3, epoch 1, lr 0\.2.*\n.*Lower the learning rate/s);
    expect(released).toEqual(['0.0', '0.1', '1.0']);
    expect(checkpoints()).toEqual([]);
    expect(existsSync(join(path, 'curve.jsonl'))).toBe(false);
  });
});
