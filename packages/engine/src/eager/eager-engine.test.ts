import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor, NamedTensors } from '@mimlab/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engine, EngineOptions, Optimization, StateSpec, StepDefinition } from '../contract.js';
import { bindingState } from '../install/binding.js';
import { findTensorflow } from '../install/tensorflow-location.js';
import { NonFiniteError } from '../non-finite-error.js';
import { createEagerEngine } from './create-eager-engine.js';

const f32 = (shape: readonly number[], ...values: number[]): HostTensor => ({ shape, dtype: 'float32', data: Float32Array.from(values) });
const constant = (shape: readonly number[], ...values: number[]): StateSpec => ({ shape, init: () => Float32Array.from(values) });
const adamw = { rule: { kind: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-8 }, decay: 0, lrScale: 1 } as const;
const updating = (names: readonly string[], rest: Omit<Optimization, 'updates'> = {}): Optimization => ({
  updates: Object.fromEntries(names.map((name) => [name, adamw])),
  ...rest,
});

/** loss = sum(w * x) + sum(b * x): both gradients are x. */
const linear = (optimize?: Optimization): StepDefinition => ({
  name: 'linear',
  state: ['w', 'b'],
  compute({ w, b }: NamedTensors, { x }: NamedTensors) {
    const scores = tf.mul(w!, tf.cast(x!, 'float32'));
    const loss = tf.add(tf.sum(scores), tf.sum(tf.mul(b!, tf.cast(x!, 'float32')))) as tf.Scalar;
    return { loss, metrics: { mean: tf.mean(scores) as tf.Scalar }, outputs: { scores, weights: w! } };
  },
  ...(optimize && { optimize }),
});

const real = findTensorflow();
const backends = [
  { eagerBackend: 'cpu', available: true },
  { eagerBackend: 'wasm', available: true },
  { eagerBackend: 'tensorflow', available: real !== undefined && bindingState(real) === 'fits' },
] as const;

describe.each(backends)('eager engine on $eagerBackend', ({ eagerBackend, available }) => {
  const options: EngineOptions = { kind: 'eager', precision: 'fp32', eagerBackend };
  let engine: Engine;
  beforeEach(async ({ skip }) => {
    skip(!available);
    engine = await createEagerEngine(options);
    await engine.define({ w: constant([2], 1, 2), b: constant([2], 0, 0) });
  });
  afterEach(() => engine?.dispose());
  const read = async (name: string): Promise<number[]> => [...(await engine.read([name]))[name]!.data];

  it('says what it is', () => {
    expect(engine).toMatchObject({ kind: 'eager', precision: 'fp32' });
    expect(engine.description).toMatch(/^eager: .*threads?/);
  });

  it('reads back what was defined and written, with copies on both ways', async () => {
    const value = f32([2], 5, 6);
    await engine.write({ w: value });
    value.data.fill(0);
    const first = (await engine.read(['w', 'b'])) as Record<string, HostTensor>;
    expect(first).toEqual({ w: f32([2], 5, 6), b: f32([2], 0, 0) });
    first['w']!.data.fill(0);
    expect(await read('w')).toEqual([5, 6]);
  });

  it('evaluates without changing anything', async () => {
    const step = engine.compile(linear());
    const { metrics, outputs } = await step.run({ x: f32([2], 3, 4) }, { outputs: ['scores'] });
    expect(metrics).toEqual({ loss: 11, mean: 5.5 });
    expect(outputs).toEqual({ scores: f32([2], 3, 8) });
    expect(await read('w')).toEqual([1, 2]);
    expect(engine.stateNames()).toEqual(['w', 'b']);
  });

  it('shows uint8 inputs to the step as int32', async () => {
    const step = engine.compile({ name: 'types', state: [], compute: (_state, { x }) => ({ outputs: { x: x! } }) });
    const { outputs } = await step.run({ x: { dtype: 'uint8', shape: [2], data: Uint8Array.of(0, 255) } }, { outputs: ['x'] });
    expect(outputs['x']).toEqual({ dtype: 'int32', shape: [2], data: Int32Array.of(0, 255) });
  });

  it('is done with its inputs when run returns', async () => {
    const x = f32([2], 3, 4);
    const running = engine.compile(linear()).run({ x });
    x.data.fill(0);
    expect((await running).metrics['loss']).toBe(11);
  });

  it('updates what it is told to and nothing else', async () => {
    const step = engine.compile(linear(updating(['w'])));
    const { metrics } = await step.run({ x: f32([2], 3, -4) }, { lr: 0.5, update: 1 });
    expect(metrics['gradNorm']).toBeCloseTo(5, 5);
    const [first, second] = await read('w');
    expect(first).toBeCloseTo(0.5, 5);
    expect(second).toBeCloseTo(2.5, 5);
    expect(await read('b')).toEqual([0, 0]);
  });

  it('keeps the moments under their names', async () => {
    const step = engine.compile(linear(updating(['w'])));
    expect(engine.stateNames()).toEqual(['w', 'b', 'adamw.m/w', 'adamw.v/w']);
    await step.run({ x: f32([2], 10, 0) }, { lr: 0.5, update: 1 });
    expect((await read('adamw.m/w'))[0]).toBeCloseTo(1, 5);
    expect((await read('adamw.v/w'))[0]).toBeCloseTo(5, 4);
  });

  it('gives the same numbers for micro-batches as for their mean gradient', async () => {
    const step = engine.compile(linear(updating(['w', 'b'], { accumulate: 2 })));
    expect(engine.stateNames()).toContain('grad/w');
    const first = await step.run({ x: f32([2], 2, 0) }, { phase: 'accumulate' });
    expect(first.metrics['gradNorm']).toBeCloseTo(Math.sqrt(8), 5);
    expect(await read('w')).toEqual([1, 2]);
    expect(await read('grad/w')).toEqual([2, 0]);
    const second = await step.run({ x: f32([2], 4, 8) }, { lr: 0.1, update: 1 });
    expect(second.metrics['gradNorm']).toBeCloseTo(Math.sqrt(2 * (9 + 16)), 5);
    expect((await read('adamw.m/w'))[0]).toBeCloseTo(0.3, 6);
    expect(await read('grad/w')).toEqual([0, 0]);
  });

  it('scales gradients down to the largest norm, and reports the norm of before', async () => {
    const step = engine.compile(linear(updating(['w', 'b'], { clipNorm: 1 })));
    const { metrics } = await step.run({ x: f32([2], 3, 4) }, { lr: 0.1, update: 1 });
    expect(metrics['gradNorm']).toBeCloseTo(Math.sqrt(50), 4);
    expect((await read('adamw.m/w'))[0]).toBeCloseTo((0.1 * 3) / Math.sqrt(50), 5);
  });

  it('leaves smaller gradients as they are', async () => {
    const step = engine.compile(linear(updating(['w', 'b'], { clipNorm: 100 })));
    await step.run({ x: f32([2], 3, 4) }, { lr: 0.1, update: 1 });
    expect((await read('adamw.m/w'))[0]).toBeCloseTo(0.3, 6);
  });

  it('gives the norms of parameters and of their change on request', async () => {
    const step = engine.compile(linear(updating(['w', 'b'])));
    const { outputs } = await step.run({ x: f32([2], 3, 4) }, { lr: 0.5, update: 1, outputs: ['norms'] });
    // Every number moves by -0.5 at the first update: w is 0.5, 1.5, b is -0.5, -0.5.
    expect(outputs['updateNorm']!.data[0]).toBeCloseTo(1, 5);
    expect(outputs['paramNorm']!.data[0]).toBeCloseTo(Math.sqrt(3), 5);
    expect(outputs['paramNorm']).toMatchObject({ shape: [], dtype: 'float32' });
  });

  it('returns a parameter as it was before the update, and keeps it usable', async () => {
    const step = engine.compile(linear(updating(['w'])));
    const { outputs } = await step.run({ x: f32([2], 3, 4) }, { lr: 0.5, update: 1, outputs: ['weights'] });
    expect(outputs['weights']).toEqual(f32([2], 1, 2));
    expect((await read('w'))[0]).toBeCloseTo(0.5, 5);
  });

  it('leaves a parameter alone that the loss does not depend on', async () => {
    const step = engine.compile({ ...linear({ updates: { w: adamw, b: { ...adamw, decay: 1 } } }), compute: ({ w }) => ({ loss: tf.sum(w!) as tf.Scalar }) });
    await engine.write({ b: f32([2], 7, 7) });
    await step.run({}, { lr: 0.5, update: 1 });
    expect(await read('b')).toEqual([7, 7]);
  });

  it('stops before the update at a bad loss, and changes nothing', async () => {
    const step = engine.compile(linear(updating(['w', 'b'])));
    const before = await engine.read(engine.stateNames());
    const error = await step.run({ x: f32([2], NaN, 1) }, { lr: 0.5, update: 1 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error).toMatchObject({ loss: NaN, gradNorm: NaN, param: 'w' });
    expect(await engine.read(engine.stateNames())).toEqual(before);
  });

  it('names the first bad parameter in the order of declaration, not of the updates', async () => {
    const compute = ({ w, b }: NamedTensors, { x }: NamedTensors) => ({ loss: tf.add(tf.sum(tf.square(w!)), tf.sum(tf.mul(b!, x!))) as tf.Scalar });
    const step = engine.compile({ ...linear(updating(['b', 'w'])), compute });
    await expect(step.run({ x: f32([2], Infinity, 1) }, { lr: 1, update: 1 })).rejects.toMatchObject({ param: 'b' });
    const both = engine.compile(linear(updating(['b', 'w'])));
    await expect(both.run({ x: f32([2], Infinity, 1) }, { lr: 1, update: 1 })).rejects.toMatchObject({ param: 'w' });
  });

  it('does not add a bad gradient to the sum', async () => {
    const step = engine.compile(linear(updating(['w'], { accumulate: 2 })));
    await step.run({ x: f32([2], 2, 0) }, { phase: 'accumulate' });
    await expect(step.run({ x: f32([2], Infinity, 0) }, { phase: 'accumulate' })).rejects.toBeInstanceOf(NonFiniteError);
    expect(await read('grad/w')).toEqual([2, 0]);
  });

  it('goes on exactly where written state left off', async () => {
    const definition = linear(updating(['w', 'b'], { accumulate: 2 }));
    const inputs = [1, 2, 3, 4, 5, 6].map((value) => ({ x: f32([2], value, -value / 3) }));
    const train = async (target: Engine, from: number, to: number): Promise<void> => {
      const step = target.compile(definition);
      for (let index = from; index < to; index++) await step.run(inputs[index]!, { lr: 0.1, update: (index >> 1) + 1, phase: index % 2 === 1 ? 'apply' : 'accumulate' });
    };
    await train(engine, 0, 3);
    const saved = await engine.read(engine.stateNames());
    await train(engine, 3, 6);

    const other = await createEagerEngine(options);
    await other.define({ w: constant([2], 0, 0), b: constant([2], 0, 0) });
    other.compile(definition);
    await other.write(saved);
    await train(other, 3, 6);
    expect(await other.read(other.stateNames())).toEqual(await engine.read(engine.stateNames()));
    other.dispose();
  });

  it('shares state between steps, and nothing between engines', async () => {
    const training = engine.compile(linear(updating(['w'])));
    const evaluation = engine.compile(linear());
    await training.run({ x: f32([2], 1, 1) }, { lr: 1, update: 1 });
    expect((await evaluation.run({ x: f32([2], 1, 1) })).metrics['loss']).toBeCloseTo(1, 5);

    const other = await createEagerEngine(options);
    await other.define({ w: constant([2], 9, 9) });
    await training.run({ x: f32([2], 1, 1) }, { lr: 1, update: 2 });
    expect([...(await other.read(['w']))['w']!.data]).toEqual([9, 9]);
    other.dispose();
    expect((await read('w'))[0]).toBeLessThan(0);
  });

  it('leaks no tensor over 50 steps, and none when it is disposed', async () => {
    const fresh = await createEagerEngine(options);
    const before = tf.memory().numTensors;
    await fresh.define({ w: constant([2], 1, 2), b: constant([2], 0, 0) });
    const step = fresh.compile(linear(updating(['w', 'b'], { accumulate: 2, clipNorm: 1 })));
    const evaluation = fresh.compile(linear());
    const once = async (index: number): Promise<void> => {
      const phase = index % 2 === 0 ? 'accumulate' : 'apply';
      await step.run({ x: f32([2], index, 1) }, { lr: 0.1, update: 1 + (index >> 1), phase, outputs: phase === 'apply' ? ['norms', 'scores'] : ['weights'] });
      await evaluation.run({ x: f32([2], index, 1) }, { outputs: ['scores', 'weights'] });
      await step.run({ x: f32([2], NaN, 1) }, { phase: 'accumulate' }).catch(() => undefined);
      await step.run({ x: f32([2], 1, 1) }, { phase: 'accumulate', outputs: ['nothing'] }).catch(() => undefined);
    };
    await once(0);
    const { numTensors } = tf.memory();
    for (let index = 1; index <= 50; index++) await once(index);
    expect(tf.memory().numTensors).toBe(numTensors);
    fresh.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('gives the backend of before back after each call', async () => {
    await tf.setBackend('cpu');
    const step = engine.compile(linear(updating(['w'])));
    await step.run({ x: f32([2], 1, 1) }, { lr: 1, update: 1 });
    await engine.read(['w']);
    expect(tf.engine().backendName).toBe('cpu');
  });

  it('refuses state of a name that exists, and defines none of the others', async () => {
    await expect(engine.define({ c: constant([1], 0), w: constant([1], 0) })).rejects.toThrow(/w: state of this name exists/);
    expect(engine.stateNames()).toEqual(['w', 'b']);
  });

  it('refuses an initial value of another size than the shape', async () => {
    await expect(engine.define({ c: constant([2, 2], 1, 2, 3) })).rejects.toThrow(/c: its initial value has 3 numbers, its shape \[2, 2\] needs 4/);
  });

  it('writes nothing if one of the values does not fit', async () => {
    await expect(engine.write({ w: f32([2], 8, 8), b: f32([1], 8) })).rejects.toThrow(/b: float32 \[1\] was given, float32 \[2\] is needed/);
    await expect(engine.write({ w: f32([2], 8, 8), q: f32([1], 8) })).rejects.toThrow(/q: no state of this name/);
    await expect(engine.write({ w: { dtype: 'int32', shape: [2], data: Int32Array.of(1, 2) } })).rejects.toThrow(/w: int32 \[2\] was given/);
    expect(await read('w')).toEqual([1, 2]);
  });

  it('names unknown state wherever it is asked for', async () => {
    await expect(engine.read(['w', 'q'])).rejects.toThrow(/q: no state of this name/);
    expect(() => engine.compile({ ...linear(), state: ['w', 'q'] })).toThrow(/q: no state of this name/);
    expect(() => engine.compile(linear(updating(['q'])))).toThrow(/updates 'q' but does not read it/);
  });

  it('names an input that is missing or of another type than in the first run', async () => {
    const step = engine.compile(linear());
    await step.run({ x: f32([2], 1, 2) });
    await expect(step.run({})).rejects.toThrow(/linear: input x: the input is missing/);
    await expect(step.run({ x: { dtype: 'int32', shape: [2], data: Int32Array.of(1, 2) } })).rejects.toThrow(/input x: int32 was given, float32 is needed/);
    await expect(step.run({ x: f32([3], 1, 2) })).rejects.toThrow(/input x: 2 numbers cannot have shape \[3\]/);
  });

  it('names an output that the step does not have, with those it has', async () => {
    await expect(engine.compile(linear()).run({ x: f32([2], 1, 2) }, { outputs: ['score'] })).rejects.toThrow(/no output 'score'\s+It has: scores, weights/);
  });

  it.each([
    [{ update: 1 }, /learning rate undefined/],
    [{ lr: NaN, update: 1 }, /learning rate NaN/],
    [{ lr: 0.1 }, /update undefined/],
    [{ lr: 0.1, update: 0 }, /update 0/],
    [{ phase: 'accumulate' as const }, /does not accumulate/],
  ])('refuses to update with %o', async (run, message) => {
    await expect(engine.compile(linear(updating(['w']))).run({ x: f32([2], 1, 2) }, run)).rejects.toThrow(message);
  });

  it('refuses norms where nothing is updated', async () => {
    const inputs = { x: f32([2], 1, 2) };
    await expect(engine.compile(linear()).run(inputs, { outputs: ['norms'] })).rejects.toThrow(/'norms' belongs to runs that update/);
    const step = engine.compile(linear(updating(['w'], { accumulate: 2 })));
    await expect(step.run(inputs, { phase: 'accumulate', outputs: ['norms'] })).rejects.toThrow(/'norms' belongs to runs that update/);
  });

  it('refuses to optimize without a loss, and to accumulate half a batch', async () => {
    const step = engine.compile({ ...linear(updating(['w'])), compute: () => ({}) });
    await expect(step.run({}, { lr: 1, update: 1 })).rejects.toThrow(/linear: the step optimizes but gives no loss/);
    expect(() => engine.compile(linear(updating(['w'], { accumulate: 1.5 })))).toThrow(/cannot accumulate 1.5 micro-batches/);
  });

  it('refuses work after it was disposed', async () => {
    const step = engine.compile(linear());
    step.dispose();
    await expect(step.run({ x: f32([2], 1, 2) })).rejects.toThrow(/linear: the step was disposed/);
    const other = engine.compile(linear());
    engine.dispose();
    engine.dispose();
    await expect(other.run({ x: f32([2], 1, 2) })).rejects.toThrow(/the engine was disposed/);
    await expect(engine.read(['w'])).rejects.toThrow(/the engine was disposed/);
  });
});

describe('createEagerEngine', () => {
  it('refuses what only the graph engine can do', async () => {
    await expect(createEagerEngine({ kind: 'eager', precision: 'bf16', eagerBackend: 'cpu' })).rejects.toThrow(/engine.precision: precision bf16 exists on the graph engine only/);
    await expect(createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu', xla: true })).rejects.toThrow(/engine.xla/);
  });

  it('runs engines of different backends side by side', async () => {
    const [plain, wasm] = await Promise.all([createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' }), createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'wasm' })]);
    const losses: number[] = [];
    for (const engine of [plain, wasm]) await engine.define({ w: constant([2], 1, 2), b: constant([2], 0, 0) });
    const steps = [plain, wasm].map((engine) => engine.compile(linear(updating(['w', 'b']))));
    for (let update = 1; update <= 3; update++) {
      const outcomes = await Promise.all(steps.map((step) => step.run({ x: f32([2], 1, 2) }, { lr: 0.1, update })));
      losses.push(Math.abs(outcomes[0]!.metrics['loss']! - outcomes[1]!.metrics['loss']!));
    }
    expect(Math.max(...losses)).toBeLessThan(1e-5);
    for (const engine of [plain, wasm]) engine.dispose();
  });
});
