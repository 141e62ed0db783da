import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '@mimlab/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Engine } from '@mimlab/engine';
import { cpuEngine, temporaryFolder } from '../../testing/tiny-evaluation.js';
import { evaluate } from './evaluate.js';
import { openEvaluationFolder } from './evaluation-folder.js';
import { defineProtocol, EvaluationStopped, stopIfAsked, type EvaluatedModel, type EvaluationContext, type EvaluationData, type EvaluationRecord } from './protocol.js';
import type { Predictions } from './results.js';

const root = temporaryFolder();
let engine: Engine;
beforeAll(async () => {
  engine = await cpuEngine();
});
afterAll(() => {
  engine.dispose();
});

const data = { classes: ['cat', '猫'], trainSize: 7, testSize: 3 } as unknown as EvaluationData;
const RIGHT_TWICE: Predictions = { predicted: Int32Array.of(0, 1, 1), labels: Int32Array.of(0, 1, 0), details: { width: 8 } };
let count = 0;

/** Runs a protocol that does as `run` says; gives back its results and what results.json holds. */
async function judged(run: (settings: unknown, context: EvaluationContext) => Promise<Predictions>, more: { readonly signal?: AbortSignal; readonly report?: (record: EvaluationRecord) => void } = {}) {
  const path = join(root, `run-${count++}`);
  const folder = await openEvaluationFolder(path, { seed: 4, protocol: 'oracle' });
  const protocol = defineProtocol({ name: 'oracle', about: '', source: 'Delphi', configSchema: z.strictObject({}), run });
  const file = join(path, 'results.json');
  const written = (): unknown => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined);
  try {
    const results = await evaluate({ protocol, settings: { k: 1 }, model: {} as EvaluatedModel, data, leaks: [{ train: 'a.png', test: 'b.png' }], engine, seed: 4, folder, ...more });
    return { results, written: written() };
  } catch (error) {
    return { error, written: written() };
  } finally {
    await folder.release();
  }
}

describe('an evaluation', () => {
  it('says who judged, on what, from which configuration, and where', async () => {
    const { results } = await judged(async () => RIGHT_TWICE);
    expect(results).toMatchObject({ protocol: 'oracle', source: 'Delphi', labelled: 7, leaks: [{ train: 'a.png', test: 'b.png' }], config: { seed: 4, protocol: 'oracle' }, details: { width: 8 } });
    expect(results?.environment).toBeTypeOf('object');
    expect(results?.seconds).toBeGreaterThanOrEqual(0);
  });

  it('counts answers by the classes of the data', async () => {
    const { results } = await judged(async () => RIGHT_TWICE);
    expect(results).toMatchObject({ accuracy: 2 / 3, samples: 3, correct: 2, confusion: [[1, 1], [0, 1]] });
    expect(results?.perClass.map(({ name, accuracy }) => [name, accuracy])).toEqual([['cat', 0.5], ['猫', 1]]);
  });

  it('leaves on the disk what it gives back', async () => {
    const { results, written } = await judged(async () => RIGHT_TWICE);
    expect(written).toEqual(JSON.parse(JSON.stringify(results)));
  });

  it('hands settings, seed and folder to the protocol, and its reports on', async () => {
    const records: EvaluationRecord[] = [];
    let given: unknown[] = [];
    const run = async (settings: unknown, context: EvaluationContext): Promise<Predictions> => {
      given = [settings, context.seed, context.folder.config];
      context.report({ kind: 'notice', message: 'the gods are thinking' });
      return RIGHT_TWICE;
    };
    await judged(run, { report: (record) => records.push(record) });
    expect(given).toEqual([{ k: 1 }, 4, { seed: 4, protocol: 'oracle' }]);
    expect(records).toEqual([{ kind: 'notice', message: 'the gods are thinking' }]);
  });

  it('does without anybody who watches or stops it', async () => {
    const { error } = await judged(async (_settings, { report, signal }) => {
      report({ kind: 'notice', message: 'unheard' });
      stopIfAsked(signal);
      return RIGHT_TWICE;
    });
    expect(error).toBeUndefined();
  });

  it('leaves no results where it was stopped', async () => {
    const controller = new AbortController();
    controller.abort();
    const { error, written } = await judged(
      async (_settings, { signal }) => {
        stopIfAsked(signal);
        return RIGHT_TWICE;
      },
      { signal: controller.signal },
    );
    expect(error).toBeInstanceOf(EvaluationStopped);
    expect((error as Error).name).toBe('EvaluationStopped');
    expect(written).toBeUndefined();
  });

  it.each([
    ['a class that there is not', { predicted: Int32Array.of(2), labels: Int32Array.of(0) }, 'image 0 has label 0 and prediction 2, there are 2 classes'],
    ['fewer answers than images', { predicted: Int32Array.of(0), labels: Int32Array.of(0, 1) }, '1 predictions do not fit 2 labels'],
  ])('refuses %s, and leaves no results', async (_what, answers, message) => {
    const { error, written } = await judged(async () => answers);
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toContain(message);
    expect(written).toBeUndefined();
  });
});

it('a protocol cannot be changed once it is defined', () => {
  const protocol = defineProtocol({ name: 'oracle', about: '', source: '', configSchema: z.strictObject({}), run: async () => RIGHT_TWICE });
  expect(protocol.kind).toBe('protocol');
  expect(Object.isFrozen(protocol)).toBe(true);
});
