import type { HostTensor } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import type { Engine, Optimization, ParamUpdate, StepDefinition } from '../contract.js';
import { NonFiniteError } from '../non-finite-error.js';
import { COMPUTED_BY, describeGraph, float, int, wave, withEngine } from './graph-engine.fixture.js';
import { profileStep } from './profile-step.js';

const rule = { kind: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-8 } as const;
const decayed: ParamUpdate = { rule, decay: 0.05, lrScale: 1 };
const plain: ParamUpdate = { rule, decay: 0, lrScale: 0.5 };
const W = wave([3, 2]);
const b = wave([2], 3);
const x = wave([4, 3], 1);
const y = wave([4, 2], 2);

/** Mean squared error of a linear map; its gradient is simple enough to be written out. */
const regression = (optimize: Partial<Optimization> = {}): StepDefinition => ({
  name: 'regression',
  state: ['w', 'b'],
  optimize: { updates: { b: plain, w: decayed }, ...optimize },
  compute({ w, b: offset }, inputs) {
    const error = tf.sub(tf.add(tf.matMul(inputs['x'] as tf.Tensor, w as tf.Tensor), offset as tf.Tensor), inputs['y'] as tf.Tensor);
    return { loss: tf.mean(tf.square(error)) as tf.Scalar, metrics: { largest: tf.max(error) as tf.Scalar }, outputs: { error } };
  },
});

const define = (engine: Engine): Promise<void> =>
  engine.define({ w: { shape: [3, 2], init: () => Float32Array.from(W.data) }, b: { shape: [2], init: () => Float32Array.from(b.data) } });

interface Plain {
  w: number[];
  b: number[];
  m: Record<'w' | 'b', number[]>;
  v: Record<'w' | 'b', number[]>;
}

/** The same step in double precision, in loops. */
function reference(state: Plain, data: { x: HostTensor; y: HostTensor }, lr: number, update: number, clipNorm = Infinity): { loss: number; gradNorm: number } {
  const rows = data.x.shape[0] as number;
  const grads = { w: new Array<number>(6).fill(0), b: [0, 0] };
  let loss = 0;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < 2; c++) {
      let error = state.b[c]! - data.y.data[r * 2 + c]!;
      for (let k = 0; k < 3; k++) error += data.x.data[r * 3 + k]! * state.w[k * 2 + c]!;
      loss += error ** 2 / (rows * 2);
      const d = (2 * error) / (rows * 2);
      grads.b[c]! += d;
      for (let k = 0; k < 3; k++) grads.w[k * 2 + c]! += d * data.x.data[r * 3 + k]!;
    }
  }
  const gradNorm = Math.hypot(...grads.w, ...grads.b);
  const scale = Math.min(1, clipNorm / (gradNorm + 1e-6));
  for (const [name, { decay, lrScale }] of [['w', decayed], ['b', plain]] as const) {
    grads[name].forEach((raw, i) => {
      const g = raw * scale;
      const rate = lr * lrScale;
      const m = (state.m[name][i] = 0.9 * state.m[name][i]! + 0.1 * g);
      const v = (state.v[name][i] = 0.95 * state.v[name][i]! + 0.05 * g * g);
      const p = state[name][i]! * (1 - rate * decay);
      state[name][i] = p - (rate * (m / (1 - 0.9 ** update))) / (Math.sqrt(v / (1 - 0.95 ** update)) + 1e-8);
    });
  }
  return { loss, gradNorm };
}

const start = (): Plain => ({
  w: Array.from(W.data),
  b: Array.from(b.data),
  m: { w: new Array<number>(6).fill(0), b: [0, 0] },
  v: { w: new Array<number>(6).fill(0), b: [0, 0] },
});

const expectClose = (actual: ArrayLike<number> | undefined, expected: readonly number[], tolerance = 2e-6): void => {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(Math.abs(actual![i]! - value)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(value))));
};

describeGraph('a compiled step', () => {
  it.each(COMPUTED_BY)('updates parameters and moments as AdamW written in loops does ($by)', async ({ kernels }) => {
    await withEngine(async (engine) => {
      await define(engine);
      const step = engine.compile(regression());
      const plainState = start();
      for (let update = 1; update <= 5; update++) {
        const lr = 0.1 / update;
        const { metrics } = await step.run({ x, y }, { lr, update });
        const { loss, gradNorm } = reference(plainState, { x, y }, lr, update);
        expect(metrics['loss']).toBeCloseTo(loss, 5);
        expect(metrics['gradNorm']).toBeCloseTo(gradNorm, 5);
      }
      const state = await engine.read(engine.stateNames());
      expectClose(state['w']?.data, plainState.w);
      expectClose(state['b']?.data, plainState.b);
      expectClose(state['adamw.m/w']?.data, plainState.m.w);
      expectClose(state['adamw.v/b']?.data, plainState.v.b);
    }, {}, kernels);
  });

  it.each(COMPUTED_BY)('clips gradients to the global norm and reports the norm before ($by)', async ({ kernels }) => {
    await withEngine(async (engine) => {
      await define(engine);
      const plainState = start();
      const { gradNorm } = reference(plainState, { x, y }, 0.1, 1, 0.01);
      const { metrics } = await engine.compile(regression({ clipNorm: 0.01 })).run({ x, y }, { lr: 0.1, update: 1 });
      expect(metrics['gradNorm']).toBeCloseTo(gradNorm, 5);
      expectClose((await engine.read(['adamw.m/w']))['adamw.m/w']?.data, plainState.m.w);
    }, {}, kernels);
  });

  it.each(COMPUTED_BY)('does with accumulated micro-batches what it does with one large batch ($by)', async ({ kernels }) => {
    const halves = [0, 2].map((from) => ({
      x: float([2, 3], Array.from(x.data.slice(from * 3, (from + 2) * 3))),
      y: float([2, 2], Array.from(y.data.slice(from * 2, (from + 2) * 2))),
    }));
    await withEngine(async (engine) => {
      await define(engine);
      const step = engine.compile(regression({ accumulate: 2 }));
      const plainState = start();
      for (let update = 1; update <= 3; update++) {
        await step.run(halves[0]!, { phase: 'accumulate' });
        const { metrics } = await step.run(halves[1]!, { lr: 0.05, update });
        const { gradNorm } = reference(plainState, { x, y }, 0.05, update);
        expect(metrics['gradNorm']).toBeCloseTo(gradNorm, 5);
      }
      const state = await engine.read(['w', 'b', 'grad/w']);
      expectClose(state['w']?.data, plainState.w);
      expectClose(state['b']?.data, plainState.b);
      expect(Array.from(state['grad/w']!.data)).toEqual([0, 0, 0, 0, 0, 0]);
    }, {}, kernels);
  });

  it.each([false, true])('leaves all state alone and names the first bad parameter when a gradient is not finite (XLA %s)', async (xla) => {
    await withEngine(async (engine) => {
      await define(engine);
      const step = engine.compile(regression());
      await step.run({ x, y }, { lr: 0.1, update: 1 });
      const before = await engine.read(engine.stateNames());
      const bad = float([4, 3], Array.from(x.data, (value, i) => (i === 5 ? Infinity : value)));
      const error: unknown = await step.run({ x: bad, y }, { lr: 0.1, update: 2 }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(NonFiniteError);
      expect((error as NonFiniteError).param).toBe('w');
      expect(await engine.read(engine.stateNames())).toEqual(before);
      const { metrics } = await step.run({ x, y }, { lr: 0.1, update: 2 });
      expect(Number.isFinite(metrics['loss'])).toBe(true);
    }, { xla });
  });

  it('names no parameter when only the loss is not finite', async () => {
    await withEngine(async (engine) => {
      await define(engine);
      const step = engine.compile({
        ...regression(),
        compute: ({ w }, { shift }) => ({ loss: tf.add(tf.sum(w as tf.Tensor), shift as tf.Tensor) as tf.Scalar }),
      });
      const failing = step.run({ shift: float([], [NaN]) }, { lr: 0.1, update: 1 });
      await expect(failing).rejects.toMatchObject({ loss: NaN, param: undefined });
    });
  });

  it.each(COMPUTED_BY)('guards accumulation too ($by)', async ({ kernels }) => {
    await withEngine(async (engine) => {
      await define(engine);
      const step = engine.compile(regression({ accumulate: 2 }));
      const failing = step.run({ x, y: float([4, 2], new Array<number>(8).fill(NaN)) }, { phase: 'accumulate' });
      await expect(failing).rejects.toMatchObject({ param: 'w' });
      expect(Array.from((await engine.read(['grad/b']))['grad/b']!.data)).toEqual([0, 0]);
    }, {}, kernels);
  });

  it.each(COMPUTED_BY)('leaves a parameter that the loss does not depend on as it is ($by)', async ({ kernels }) => {
    await withEngine(async (engine) => {
      await define(engine);
      const step = engine.compile({ ...regression(), compute: ({ w }) => ({ loss: tf.sum(tf.square(w as tf.Tensor)) as tf.Scalar }) });
      await step.run({}, { lr: 0.1, update: 1 });
      const state = await engine.read(['w', 'b']);
      expect(state['b']?.data).toEqual(b.data);
      expect(state['w']?.data).not.toEqual(W.data);
    }, {}, kernels);
  });

  it.each(COMPUTED_BY)('returns outputs and norms when they are asked for, and only then ($by)', async ({ kernels }) => {
    await withEngine(async (engine) => {
      await define(engine);
      const step = engine.compile(regression());
      const before = await engine.read(['w', 'b']);
      const { outputs, metrics } = await step.run({ x, y }, { lr: 0.1, update: 1, outputs: ['norms', 'error'] });
      const after = await engine.read(['w', 'b']);
      const values = [...after['w']!.data, ...after['b']!.data];
      const old = [...before['w']!.data, ...before['b']!.data];
      expect(outputs['error']?.shape).toEqual([4, 2]);
      expect(Math.max(...outputs['error']!.data)).toBeCloseTo(metrics['largest']!, 6);
      expectClose(outputs['paramNorm']?.data, [Math.hypot(...values)]);
      expectClose(outputs['updateNorm']?.data, [Math.hypot(...values.map((value, i) => value - old[i]!))], 1e-5);
      expect((await step.run({ x, y }, { lr: 0.1, update: 2 })).outputs).toEqual({});
    }, {}, kernels);
  });

  it('returns outputs as they were before the update', async () => {
    await withEngine(async (engine) => {
      await define(engine);
      const { compute, ...rest } = regression();
      const step = engine.compile({ ...rest, compute: (state, inputs) => ({ ...compute(state, inputs), outputs: { w: state['w'] as tf.Tensor } }) });
      const { outputs } = await step.run({ x, y }, { lr: 0.1, update: 1, outputs: ['w'] });
      expect(outputs['w']?.data).toEqual(W.data);
    });
  });

  it('compiles anew for other input shapes and returns to the first', async () => {
    await withEngine(async (engine) => {
      let traces = 0;
      const step = engine.compile({
        name: 'total',
        state: [],
        compute: (_, { x: given }) => {
          traces++;
          return { metrics: { total: tf.sum(given as tf.Tensor) as tf.Scalar } };
        },
      });
      expect((await step.run({ x: float([2], [1, 2]) })).metrics['total']).toBe(3);
      expect((await step.run({ x: float([3], [1, 2, 4]) })).metrics['total']).toBe(7);
      expect((await step.run({ x: float([2], [5, 6]) })).metrics['total']).toBe(11);
      expect(traces).toBe(2);
    });
  });

  it('takes bytes as int32 and copies its inputs before it returns', async () => {
    await withEngine(async (engine) => {
      const step = engine.compile({
        name: 'bytes',
        state: [],
        compute: (_, { pixels }) => ({ metrics: { sum: tf.sum(tf.cast(pixels as tf.Tensor, 'float32')) as tf.Scalar }, outputs: { pixels: pixels as tf.Tensor } }),
      });
      const data = Uint8Array.of(1, 250);
      const running = step.run({ pixels: { shape: [2], dtype: 'uint8', data } }, { outputs: ['pixels'] });
      data.fill(0);
      const { metrics, outputs } = await running;
      expect(metrics['sum']).toBe(251);
      expect(outputs['pixels']).toEqual(int([2], [1, 250]));
    });
  });

  it('does not need inputs to be used', async () => {
    await withEngine(async (engine) => {
      const step = engine.compile({ name: 'idle', state: [], compute: (_, { a }) => ({ metrics: { a: tf.sum(a as tf.Tensor) as tf.Scalar } }) });
      expect((await step.run({ a: float([1], [2]), unused: float([2, 0], []) })).metrics).toEqual({ a: 2 });
    });
  });

  it('gives bit-identical results in two engines', async () => {
    const train = (): Promise<Record<string, HostTensor>> =>
      withEngine(async (engine) => {
        await define(engine);
        const step = engine.compile(regression());
        for (let update = 1; update <= 4; update++) await step.run({ x, y }, { lr: 0.1, update });
        return engine.read(engine.stateNames());
      });
    expect(await train()).toEqual(await train());
  });

  it('stays close to float32 under bf16', async () => {
    const train = (precision: 'fp32' | 'bf16'): Promise<number[]> =>
      withEngine(
        async (engine) => {
          await define(engine);
          const step = engine.compile(regression());
          const losses: number[] = [];
          for (let update = 1; update <= 4; update++) losses.push((await step.run({ x, y }, { lr: 0.05, update })).metrics['loss']!);
          return losses;
        },
        { precision },
      );
    const [exact, rounded] = [await train('fp32'), await train('bf16')];
    expect(rounded).not.toEqual(exact);
    expectClose(rounded, exact, 2e-2);
  });

  it('is clustered by XLA on request', async () => {
    await withEngine(
      async (engine) => {
        await define(engine);
        const { profile } = await profileStep(engine.compile(regression()), { x, y }, { lr: 0.05, update: 1 });
        expect(Object.keys(profile.seconds).join()).toContain('_XlaRun');
      },
      { xla: true },
    );
  });

  it('runs under XLA with the same result', async () => {
    const train = (xla: boolean): Promise<HostTensor> =>
      withEngine(
        async (engine) => {
          await define(engine);
          const step = engine.compile(regression());
          for (let update = 1; update <= 3; update++) await step.run({ x, y }, { lr: 0.05, update });
          return (await engine.read(['w']))['w']!;
        },
        { xla },
      );
    expectClose((await train(true)).data, Array.from((await train(false)).data), 1e-5);
  });
});
