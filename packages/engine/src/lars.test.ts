import type { HostTensor } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Engine, ParamUpdate, RunOptions, StepDefinition } from './contract.js';
import { createEagerEngine } from './eager/index.js';
import { createGraphEngine } from './graph/graph-engine.js';
import { findTensorflow } from './install/index.js';

const library = findTensorflow()?.library;
const engines: [string, () => Promise<Engine>][] = [['eager', () => createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' })]];
if (library === undefined) process.stdout.write('skipped on the graph engine, no libtensorflow found: LARS\n');
else engines.push(['graph', async () => createGraphEngine({ kind: 'graph', precision: 'fp32', threads: 1 }, library)]);

const f32 = (shape: readonly number[], ...values: number[]): HostTensor => ({ shape, dtype: 'float32', data: Float32Array.from(values) });
const lars: ParamUpdate = { rule: { kind: 'lars', momentum: 0.9, trust: 0.01 }, decay: 0.5, lrScale: 1 };

/** Linear in a matrix and a vector: what is fed is the gradient. */
const fed: StepDefinition = {
  name: 'fed',
  state: ['w', 'b'],
  optimize: { updates: { w: lars, b: lars } },
  compute: ({ w, b }, { dw, db }) => ({ loss: tf.add(tf.sum(tf.mul(w as tf.Tensor, dw as tf.Tensor)), tf.sum(tf.mul(b as tf.Tensor, db as tf.Tensor))) as tf.Scalar }),
};

describe.each(engines)('LARS on the %s engine', (_, create) => {
  const after = async (w: readonly number[], runs: readonly (readonly [dw: readonly number[], db: number])[], options: RunOptions = {}, definition = fed) => {
    const engine = await create();
    try {
      await engine.define({ w: { shape: [2, 1], init: () => Float32Array.from(w) }, b: { shape: [1], init: () => Float32Array.of(1) } });
      const step = engine.compile(definition);
      let outputs: Readonly<Record<string, HostTensor>> = {};
      for (const [index, [dw, db]] of runs.entries()) ({ outputs } = await step.run({ dw: f32([2, 1], ...dw), db: f32([1], db) }, { lr: 0.1, update: index + 1, ...options }));
      const state = await engine.read(['w', 'b', 'lars.mu/w', 'lars.mu/b']);
      return { names: engine.stateNames(), outputs, values: Object.fromEntries(Object.entries(state).map(([name, { data }]) => [name, [...data]])) };
    } finally {
      engine.dispose();
    }
  };
  const near = (actual: readonly number[] | undefined, expected: readonly number[]): void => {
    expected.forEach((value, i) => expect(actual?.[i]).toBeCloseTo(value, 6));
  };

  it('moves a matrix by its norm over that of gradient and decay, and a vector by its gradient alone', async () => {
    // u = (3, 4) + 0.5 (0, 2) = (3, 5), |u| = sqrt(34), |w| = 2
    const ratio = (0.01 * 2) / Math.sqrt(34);
    const { values } = await after([0, 2], [[[3, 4], 2]]);
    near(values['lars.mu/w'], [3 * ratio, 5 * ratio]);
    near(values['w'], [-0.1 * 3 * ratio, 2 - 0.1 * 5 * ratio]);
    near(values['lars.mu/b'], [2]);
    near(values['b'], [0.8]);
  });

  it('keeps the rate out of the momentum', async () => {
    const { values } = await after([0, 0], [[[0, 0], 1], [[0, 0], 0]]);
    near(values['lars.mu/b'], [0.9]);
    near(values['b'], [1 - 0.1 - 0.09]);
  });

  it.each([
    ['parameter', [0, 0], [3, 4], [3, 4]],
    ['gradient', [1, 1], [-0.5, -0.5], [0, 0]],
  ])('takes the gradient as it is where the %s has norm 0', async (_which, w, dw, mu) => {
    const { values } = await after(w, [[dw, 0]]);
    near(values['lars.mu/w'], mu);
  });

  it('keeps one state a parameter and tells the norm of what changed', async () => {
    const { names, outputs } = await after([0, 0], [[[3, 4], 0]], { outputs: ['norms'] });
    expect(names).toEqual(['w', 'b', 'lars.mu/w', 'lars.mu/b']);
    expect(outputs['updateNorm']?.data[0]).toBeCloseTo(0.5, 6);
    expect(outputs['paramNorm']?.data[0]).toBeCloseTo(Math.hypot(0.5, 1), 6);
  });

  it('goes beside AdamW in one step', async () => {
    const mixed = { ...fed, optimize: { updates: { w: lars, b: { rule: { kind: 'adamw', beta1: 0.9, beta2: 0.999, eps: 1e-8 }, decay: 0, lrScale: 2 } as const } } };
    const engine = await create();
    await engine.define({ w: { shape: [2, 1], init: () => Float32Array.of(0, 0) }, b: { shape: [1], init: () => Float32Array.of(1) } });
    await engine.compile(mixed).run({ dw: f32([2, 1], 3, 4), db: f32([1], 7) }, { lr: 0.1, update: 1 });
    const { w, b } = await engine.read(['w', 'b']);
    near([...(w?.data ?? []), ...(b?.data ?? [])], [-0.3, -0.4, 0.8]);
    expect(engine.stateNames()).toEqual(['w', 'b', 'lars.mu/w', 'adamw.m/b', 'adamw.v/b']);
    engine.dispose();
  });
});

describe.each(engines)('new values of state on the %s engine', (_, create) => {
  const counting = (optimize?: StepDefinition['optimize']): StepDefinition => ({
    name: 'count',
    state: ['w', 'seen'],
    ...(optimize === undefined ? {} : { optimize }),
    compute: ({ w, seen }, { x }) => ({
      loss: tf.sum(tf.mul(w as tf.Tensor, x as tf.Tensor)) as tf.Scalar,
      outputs: { seen: seen as tf.Tensor },
      assign: { seen: tf.add(seen as tf.Tensor, tf.sum(x as tf.Tensor)) as tf.Tensor },
    }),
  });
  const updates = { w: { ...lars, decay: 0 } };
  const withState = async <T>(body: (engine: Engine, seen: () => Promise<number | undefined>) => Promise<T>): Promise<T> => {
    const engine = await create();
    try {
      await engine.define({ w: { shape: [1], init: () => Float32Array.of(1) }, seen: { shape: [], init: () => Float32Array.of(10) } });
      return await body(engine, async () => (await engine.read(['seen']))['seen']?.data[0]);
    } finally {
      engine.dispose();
    }
  };

  it('are written behind every run of a step without updates, which still reads the old ones', async () => {
    await withState(async (engine, seen) => {
      const step = engine.compile(counting());
      await step.run({ x: f32([1], 2) });
      const { outputs } = await step.run({ x: f32([1], 3) }, { outputs: ['seen'] });
      expect([outputs['seen']?.data[0], await seen()]).toEqual([12, 15]);
    });
  });

  it('are written while gradients add up and with the update', async () => {
    await withState(async (engine, seen) => {
      const step = engine.compile(counting({ updates, accumulate: 2 }));
      await step.run({ x: f32([1], 2) }, { phase: 'accumulate' });
      await step.run({ x: f32([1], 4) }, { lr: 0.1, update: 1 });
      expect(await seen()).toBe(16);
      expect((await engine.read(['w']))['w']?.data[0]).toBeCloseTo(1 - 0.1 * 3, 6);
    });
  });

  it('are not written where the loss is not finite', async () => {
    await withState(async (engine, seen) => {
      await expect(engine.compile(counting({ updates })).run({ x: f32([1], Infinity) }, { lr: 0.1, update: 1 })).rejects.toThrow();
      expect(await seen()).toBe(10);
    });
  });

  it('must fit a state that no rule updates', async () => {
    await withState(async (engine) => {
      const run = (name: string) =>
        engine.compile({ ...counting({ updates }), compute: ({ w }) => ({ loss: tf.sum(w as tf.Tensor) as tf.Scalar, assign: { [name]: w as tf.Tensor } }) }).run({}, { lr: 0.1, update: 1 });
      await expect(run('w')).rejects.toThrow(/both updates and assigns 'w'/);
      await expect(run('seen')).rejects.toThrow(/assigns \[1\] to 'seen' of shape \[\]/);
      await expect(run('none')).rejects.toThrow(/none/);
    });
  });
});
