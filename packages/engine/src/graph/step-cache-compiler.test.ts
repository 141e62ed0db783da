import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Engine, EngineOptions, StepDefinition, StepOutcome } from '../contract.js';
import { describeGraph, float, wave, withEngine } from './graph-engine.fixture.js';
import { stepCacheKey, type CompileSettings } from './step-cache-compiler.js';

const settings: CompileSettings = { precision: 'fp32', recompute: 'none', xla: false, fused: false, threads: 2, library: '2.21.0' };
const state = { names: () => ['w'], get: () => ({ sharedName: 'v0', shape: [3, 2] }) };
const rule = { kind: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-8 } as const;

/** Counts how often it is traced. */
function regression(more: Partial<StepDefinition> = {}): StepDefinition & { readonly traced: () => number } {
  let traced = 0;
  return {
    name: 'regression',
    state: ['w'],
    cacheKey: 'regression 1',
    optimize: { updates: { w: { rule, decay: 0.05, lrScale: 1 } } },
    compute({ w }, { x }) {
      traced++;
      const y = tf.matMul(x as tf.Tensor, w as tf.Tensor);
      return { loss: tf.mean(tf.square(y)) as tf.Scalar, metrics: { largest: tf.max(y) as tf.Scalar }, outputs: { y } };
    },
    ...more,
    traced: () => traced,
  };
}
/** A step that does not say what it computes. */
function withoutKey(): StepDefinition {
  const { name, state: reads, compute, optimize } = regression();
  return { name, state: reads, compute, ...(optimize === undefined ? {} : { optimize }) };
}
const apply = { phase: 'apply', outputs: [] } as const;

describe('the key of a compiled step', () => {
  const key = (definition: Partial<StepDefinition> = {}, variant: Parameters<typeof stepCacheKey>[1] = apply, signature = 'x:float32[4,3]', known: Parameters<typeof stepCacheKey>[3] = state, more: Partial<CompileSettings> = {}) =>
    stepCacheKey(regression(definition), variant, signature, known, { ...settings, ...more });

  it('is the same for the same step', () => {
    expect(key()).toMatch(/^[0-9a-f]{64}$/);
    expect(key()).toBe(key());
    expect(key({}, { phase: 'apply', outputs: ['y', 'norms'] })).toBe(key({}, { phase: 'apply', outputs: ['norms', 'y'] }));
  });

  it('is another one for whatever the graph follows from', () => {
    const keys = [
      key(),
      key({ cacheKey: 'regression 2' }),
      key({ name: 'other' }),
      key({ optimize: { updates: { w: { rule, decay: 0, lrScale: 1 } } } }),
      key({ optimize: { updates: { w: { rule, decay: 0.05, lrScale: 1 } }, clipNorm: 1 } }),
      key({}, { phase: 'accumulate', outputs: [] }),
      key({}, { phase: 'apply', outputs: ['norms'] }),
      key({}, apply, 'x:float32[8,3]'),
      key({}, apply, 'x:float32[4,3]', { ...state, get: () => ({ sharedName: 'v1', shape: [3, 2] }) }),
      key({}, apply, 'x:float32[4,3]', { ...state, get: () => ({ sharedName: 'v0', shape: [3, 4] }) }),
      ...([{ precision: 'bf16' }, { recompute: 'cheap' }, { xla: true }, { fused: true }, { threads: 1 }, { library: '2.22.0' }] as const).map((more) => key({}, apply, 'x:float32[4,3]', state, more)),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).not.toContain(undefined);
  });

  it('is not given to a step that does not say what it computes', () => {
    const nameless = withoutKey();
    expect(stepCacheKey(nameless, apply, '', state, settings)).toBeUndefined();
  });
});

describeGraph('steps kept for the next start', () => {
  let cache = '';
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'mimlab-cache-'));
    vi.stubEnv('MIMLAB_CACHE', cache);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(cache, { recursive: true, force: true });
  });

  const x = wave([4, 3], 1);
  const entries = (): string[] => readdirSync(join(cache, 'steps'));
  /** Three updates in an engine of its own: a start of the process, as far as the cache can tell. */
  const start = (definition: StepDefinition, options: Partial<EngineOptions> = {}): Promise<StepOutcome[]> =>
    withEngine(async (engine: Engine) => {
      await engine.define({ w: { shape: [3, 2], init: () => wave([3, 2]).data as Float32Array } });
      const step = engine.compile(definition);
      const outcomes = [await step.run({ x }, { lr: 0.1, update: 1, outputs: ['norms', 'y'] }), await step.run({ x }, { lr: 0.1, update: 2 })];
      return [...outcomes, await step.run({ x }, { lr: 0.1, update: 3, outputs: ['norms', 'y'] })];
    }, options);

  it('are neither traced again nor computed otherwise', async () => {
    const [first, second] = [regression(), regression()];
    const outcomes = await start(first);
    expect(entries()).toHaveLength(2);
    expect(await start(second)).toEqual(outcomes);
    expect([first.traced(), second.traced()]).toEqual([1, 0]);
  });

  it('are the same as without the cache', async () => {
    const kept = await start(regression());
    const uncached = regression();
    expect(await start(uncached, { cache: false })).toEqual(kept);
    expect(uncached.traced()).toBe(1);
  });

  it('are traced again when an entry is damaged', async () => {
    const outcomes = await start(regression());
    for (const name of entries()) writeFileSync(join(cache, 'steps', name), 'mimlab step 1\nbroken');
    const again = regression();
    expect(await start(again)).toEqual(outcomes);
    expect(again.traced()).toBe(1);
    const afterwards = regression();
    await start(afterwards);
    expect(afterwards.traced()).toBe(0);
  });

  it('are not kept where the engine is told so, or the step does not say what it computes', async () => {
    const nameless = withoutKey();
    await start(nameless);
    await start(regression(), { cache: false });
    expect(() => entries()).toThrow('ENOENT');
  });

  it('name the bad gradient all the same when the guard stops a step that was not traced', async () => {
    await start(regression());
    const bad = float([4, 3], new Float32Array(12).fill(NaN));
    await withEngine(async (engine) => {
      await engine.define({ w: { shape: [3, 2], init: () => wave([3, 2]).data as Float32Array } });
      const step = engine.compile(regression());
      await expect(step.run({ x: bad }, { lr: 0.1, update: 1 })).rejects.toMatchObject({ param: 'w' });
    });
  });

  it('serve two steps of one definition in one session', async () => {
    await withEngine(async (engine) => {
      await engine.define({ w: { shape: [3, 2], init: () => wave([3, 2]).data as Float32Array } });
      const losses = [];
      for (const update of [1, 2]) losses.push((await engine.compile(regression()).run({ x }, { lr: 0.1, update })).metrics['loss']);
      expect(losses[1]).toBeLessThan(losses[0] as number);
    });
    for (const name of entries()) utimesSync(join(cache, 'steps', name), 1, 1);
    expect(entries()).toHaveLength(1);
  });
});
