import type { HostTensor, NamedTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Engine, Optimization, ParamUpdate, RunOptions, StepDefinition, StepOutcome } from '../contract.js';
import { findKernels, findTensorflow } from '../install/index.js';
import { NonFiniteError } from '../non-finite-error.js';
import { loadKernels, loadTensorflow } from '../tensorflow/c-library.js';
import { configProto } from '../tensorflow/config-proto.js';
import { openSession } from '../tensorflow/session.js';
import { createGraphBuilder } from './graph-builder.js';
import { createGraphEngine } from './graph-engine.js';
import { float, wave } from './graph-engine.fixture.js';
import { adamwInPlace } from './in-place-adamw.js';
import { profileStep } from './profile-step.js';

const location = findTensorflow();
const kernels = location === undefined ? undefined : findKernels(location);
if (kernels === undefined) process.stdout.write('skipped, no compiled kernels found: native updates\n');

const t = (tensor: tf.Tensor | undefined): tf.Tensor => tensor as tf.Tensor;
const scalar = (tensor: tf.Tensor): tf.Scalar => tensor as tf.Scalar;
/** So large an epsilon, because near zero AdamW moves by a gradient's sign alone, and products are summed in another order here. */
const rule = { kind: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-3 } as const;
const decayed: ParamUpdate = { rule, decay: 0.05, lrScale: 1 };
const plain: ParamUpdate = { rule, decay: 0, lrScale: 0.5 };

/** A network whose largest parameter is longer than one piece of an update; `c` is a gradient of `s` as it is. */
const SHAPES: Readonly<Record<string, readonly number[]>> = { w: [200, 170], b: [170], s: [3], c: [3], t: [] };
const x = wave([20, 200], 1);
const network = (optimize: Partial<Optimization> = {}): StepDefinition => ({
  name: 'network',
  state: Object.keys(SHAPES),
  optimize: { updates: { b: plain, w: decayed, s: decayed, c: decayed, t: plain }, ...optimize },
  compute(state, inputs) {
    const y = tf.add(tf.matMul(t(inputs['x']), t(state['w'])), t(state['b']));
    const loss = tf.add(tf.mean(tf.square(y)), tf.add(tf.sum(tf.mul(t(state['s']), t(state['c']))), tf.square(t(state['t']))));
    return { loss: scalar(loss), metrics: { t: scalar(t(state['t'])) }, outputs: { s: t(state['s']), row: tf.reshape(t(state['c']), [1, 3]) } };
  },
});

async function withEngine<T>(threads: number, body: (engine: Engine) => Promise<T>, native = true): Promise<T> {
  const engine = createGraphEngine({ kind: 'graph', precision: 'fp32', threads, cache: false }, location?.library as string, native ? kernels : undefined);
  try {
    await engine.define(Object.fromEntries(Object.entries(SHAPES).map(([name, shape], i) => [name, { shape, init: () => wave(shape, i).data as Float32Array }])));
    return await body(engine);
  } finally {
    engine.dispose();
  }
}

interface Trained {
  readonly outcomes: StepOutcome[];
  readonly state: Record<string, HostTensor>;
}

/** Runs a step once for each of `options`. */
const train = (threads: number, definition: StepDefinition, options: readonly RunOptions[], native = true): Promise<Trained> =>
  withEngine(
    threads,
    async (engine) => {
      const step = engine.compile(definition);
      const outcomes: StepOutcome[] = [];
      for (const option of options) outcomes.push(await step.run({ x }, option));
      return { outcomes, state: await engine.read(engine.stateNames()) };
    },
    native,
  );
const updates = (count: number, more: RunOptions = {}): RunOptions[] => Array.from({ length: count }, (_, i) => ({ lr: 0.01, update: i + 1, ...more }));

function expectClose(actual: Record<string, HostTensor>, expected: Record<string, HostTensor>): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, { data }] of Object.entries(expected)) {
    const worst = Array.from(data).reduce((most, value, i) => Math.max(most, Math.abs(value - (actual[name]?.data[i] as number)) / Math.max(1, Math.abs(value))), 0);
    expect(worst, name).toBeLessThanOrEqual(2e-6);
  }
}

const COURSES: Readonly<Record<string, readonly [optimize: Partial<Optimization>, options: readonly RunOptions[]]>> = {
  'plainly': [{}, updates(3)],
  'with clipped gradients': [{ clipNorm: 0.1 }, updates(3)],
  'over micro-batches': [{ accumulate: 2 }, updates(2).flatMap((update) => [{ phase: 'accumulate' as const }, update])],
  'beside LARS': [{ updates: { w: decayed, b: { rule: { kind: 'lars', momentum: 0.9, trust: 0.001 }, decay: 0, lrScale: 1 }, s: plain } }, updates(3)],
  'with rates of their own': [{ updates: { w: { ...decayed, lrScale: 0.3 }, b: decayed, s: { ...decayed, rule: { ...rule, beta2: 0.999 } } } }, updates(3)],
}; // prettier-ignore

describe.skipIf(kernels === undefined)('native updates', () => {
  it.each(Object.keys(COURSES))('train %s as TensorFlow does, with the same bits on any number of threads', async (name) => {
    const [optimize, options] = COURSES[name] as (typeof COURSES)[string];
    const own = await train(1, network(optimize), options);
    const others = await train(1, network(optimize), options, false);
    expectClose(own.state, others.state);
    expect(own.outcomes.map(({ metrics }) => metrics['gradNorm'])).toEqual(others.outcomes.map(({ metrics }) => expect.closeTo(metrics['gradNorm'] as number, 4) as number));
    for (const threads of [2, 3]) expect(await train(threads, network(optimize), options)).toEqual(own);
  });

  it('are one operation for all parameters of a kind', async () => {
    await withEngine(2, async (engine) => {
      const { profile } = await profileStep(engine.compile(network()), { x }, { lr: 0.01, update: 1 });
      expect(profile.seconds).toHaveProperty('MimlabAdamw');
      expect(profile.seconds).not.toHaveProperty('ResourceApplyAdam');
      expect(profile.seconds).not.toHaveProperty('AssignSubVariableOp');
    });
  });

  it('tell the norms of parameters and of their change', async () => {
    const norms = (native: boolean): Promise<Trained> => train(2, network(), updates(2, { outputs: ['norms'] }), native);
    const [own, others] = [await norms(true), await norms(false)];
    own.outcomes.forEach(({ outputs }, i) => expectClose(outputs, others.outcomes[i]?.outputs ?? {}));
  });

  it('come behind everything that a run tells of its state', async () => {
    const { outcomes } = await train(2, network(), updates(2, { outputs: ['s', 'row'] }));
    expect(outcomes[0]?.metrics['t']).toBe(wave([], 4).data[0]);
    expect(outcomes[0]?.outputs['s']).toEqual(wave([3], 2));
    expect(Array.from(outcomes[0]?.outputs['row']?.data ?? [])).toEqual(Array.from(wave([3], 3).data));
    expect(outcomes[1]?.outputs['s']).not.toEqual(wave([3], 2));
  });

  it('leave alone what was assigned from a parameter, in this step and in others', async () => {
    await withEngine(2, async (engine) => {
      await engine.define({ mean: { shape: [3], init: () => new Float32Array(3) }, same: { shape: [3], init: () => new Float32Array(3) }, kept: { shape: [3], init: () => new Float32Array(3) } });
      const { compute, ...rest } = network();
      const keeping = engine.compile({ name: 'keeping', state: ['s'], compute: ({ s }) => ({ assign: { kept: t(s) } }) });
      const step = engine.compile({ ...rest, compute: (state, inputs) => ({ ...compute(state, inputs), assign: { mean: t(state['s']), same: tf.reshape(t(state['s']), [3]) } }) });
      await keeping.run({});
      await step.run({ x }, { lr: 0.01, update: 1 });
      await engine.compile(network()).run({ x }, { lr: 0.01, update: 2 });
      const { s, mean, same, kept } = await engine.read(['s', 'mean', 'same', 'kept']);
      expect([mean, same, kept]).toEqual([wave([3], 2), wave([3], 2), wave([3], 2)]);
      expect(s).not.toEqual(wave([3], 2));
    });
  });

  it('do not tie states together that were assigned one value', async () => {
    await withEngine(1, async (engine) => {
      const compute = ({ s }: NamedTensors): { assign: NamedTensors } => ({ assign: { c: tf.neg(t(s)), s: tf.neg(t(s)) } });
      await engine.compile({ name: 'twins', state: ['s'], compute }).run({});
      const step = engine.compile({ name: 'one', state: ['s'], optimize: { updates: { s: plain } }, compute: ({ s }) => ({ loss: scalar(tf.sum(tf.square(t(s)))) }) });
      await step.run({}, { lr: 0.1, update: 1 });
      const { s, c } = await engine.read(['s', 'c']);
      expect(Array.from(c?.data ?? [])).toEqual(Array.from(wave([3], 2).data, (value) => -value));
      expect(s).not.toEqual(c);
    });
  });

  it('change nothing when loss or a gradient is not finite, and go on afterwards', async () => {
    await withEngine(2, async (engine) => {
      const step = engine.compile(network());
      await step.run({ x }, { lr: 0.01, update: 1 });
      const before = await engine.read(engine.stateNames());
      const bad = float([20, 200], Array.from(x.data, (value, i) => (i === 7 ? NaN : value)));
      const error: unknown = await step.run({ x: bad }, { lr: 0.01, update: 2 }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(NonFiniteError);
      expect(error).toMatchObject({ param: 'w' });
      expect(await engine.read(engine.stateNames())).toEqual(before);
      await step.run({ x }, { lr: 0.01, update: 2 });
      expect((await engine.read(['w']))['w']).not.toEqual(before['w']);
    });
  });

  it('go on from written state to the bit', async () => {
    const whole = await train(2, network(), updates(4));
    const half = await train(2, network(), updates(2));
    const resumed = await withEngine(2, async (engine) => {
      const step = engine.compile(network());
      await engine.write(Object.fromEntries(Object.entries(half.state).filter(([name]) => name in SHAPES || name.startsWith('adamw'))));
      for (const option of updates(4).slice(2)) await step.run({ x }, option);
      return engine.read(engine.stateNames());
    });
    expect(resumed).toEqual(whole.state);
  });

  it('do not reach what was read before', async () => {
    await withEngine(2, async (engine) => {
      const step = engine.compile(network());
      const read = await engine.read(['w']);
      const copy = Float32Array.from(read['w']?.data ?? []);
      await step.run({ x }, { lr: 0.01, update: 1 });
      expect(read['w']?.data).toEqual(copy);
    });
  });

  it('refuse a library that copies what is read from a variable', async () => {
    const api = loadTensorflow(location?.library as string);
    loadKernels(kernels as string, 1);
    const session = openSession(api, configProto({ threads: 1, xla: false }));
    const graph = createGraphBuilder('copies');
    let readings = 0;
    const variable = () => ({ read: () => graph.constant([1, 2, readings++], [3], 'float32') }) as unknown as ReturnType<Parameters<typeof adamwInPlace>[0]['variable']>;
    const guarded = graph.node('NoOp', [], {});
    const params = [{ name: 'w', gradient: graph.constant([1, 1, 1], [3], 'float32') }];
    const { updated } = adamwInPlace({ graph, variable, guarded, scale: graph.scalar(1), norms: false }, { rule, params, scalar: () => graph.scalar(0) });
    session.extend(graph.bytes());
    await expect(session.run(session.callable([], [], [updated]), [])).rejects.toThrow('MIMLAB_FUSED_KERNELS=0');
    session.close();
  });
});
