import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine, type Engine } from '@mimlab/engine';
import { parameterState } from '@mimlab/train';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunContext } from '../run/run-context.js';
import { tinyRun, writeTinyDigits } from '../run/tiny-run.test-support.js';
import { DIRECTIONS, measureFeatures, type Measured } from './measure-features.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-features-'));
let context: RunContext;
let engine: Engine;
let trained: Measured[];
const notes: string[] = [];

const WEIGHT = 'patch_embed.proj.weight';
const weight = async (): Promise<number[]> => [...((await engine.read([WEIGHT]))[WEIGHT]?.data ?? [])];
let initial: number[];

const measure = (): Promise<Measured[]> => measureFeatures({ context, engine, labelsPerClass: [2], draws: 3, note: (line) => notes.push(line) });

beforeAll(async () => {
  context = await tinyRun(writeTinyDigits(join(folder, 'data'), 100));
  engine = await createEngine({ kind: 'eager', precision: 'fp32' });
  await engine.define(parameterState(context.objective.params(), context.config.seed));
  initial = await weight();
  // Training that has lost everything: all features are alike.
  await engine.write({ [WEIGHT]: { shape: context.objective.params()[WEIGHT]?.shape ?? [], dtype: 'float32', data: new Float32Array(initial.length) } });
  trained = await measure();
});
afterAll(() => {
  engine.dispose();
  rmSync(folder, { recursive: true });
});

describe('nearest neighbours of the quickstart', () => {
  it('judge trained features beside untrained ones and pixels, in this order', () => {
    expect(trained.map(({ features }) => features)).toEqual(['pre-trained', 'untrained', 'raw pixels', `raw pixels, ${DIRECTIONS} directions`]);
    expect(notes).toEqual(['features of the trained encoder', 'features of the untrained encoder', 'raw pixels']);
  });

  it('learn from all labels and from few, in as many draws as asked for', () => {
    for (const { all, few } of trained) {
      expect(all.accuracy).toBeGreaterThanOrEqual(0);
      expect(few.map(({ labelsPerClass, draws }) => [labelsPerClass, draws.length])).toEqual([[2, 3]]);
    }
  });

  it('tell nothing apart by features that are all alike: one class in ten is right', () => {
    expect(trained[0]?.all.accuracy).toBe(0.1);
  });

  it('find pixels as good along all of their directions as they are', () => {
    expect(trained[3]?.all.accuracy).toBeCloseTo(trained[2]?.all.accuracy as number, 1);
  });

  it('leave the engine with the weights that training started from, so that these are measured again alike', async () => {
    expect(await weight()).toEqual(initial);
    const again = await measure();
    expect(again[0]?.all).toEqual(trained[1]?.all);
    expect(again[1]?.all).toEqual(trained[1]?.all);
  });
});
