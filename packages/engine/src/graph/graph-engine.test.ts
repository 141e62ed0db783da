import { readFileSync } from 'node:fs';
import { sizeOfShape } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { createEngine } from '../create-engine.js';
import type { StepDefinition } from '../contract.js';
import { aliveTensors } from '../tensorflow/tensor.js';
import { describeGraph, float, wave, withEngine } from './graph-engine.fixture.js';
import { profileStep } from './profile-step.js';
import { residentPeak, resetResidentPeak } from './resident-memory.js';

const rule = { kind: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-8 } as const;
const zeros = (...shape: number[]) => ({ shape, init: () => new Float32Array(sizeOfShape(shape)) });
const ones = (...shape: number[]) => ({ shape, init: () => new Float32Array(sizeOfShape(shape)).fill(1) });

const training = (name: string, accumulate = 1): StepDefinition => ({
  name,
  state: ['w'],
  optimize: { updates: { w: { rule, decay: 0, lrScale: 1 } }, accumulate },
  compute: ({ w }, { x }) => ({ loss: tf.mean(tf.square(tf.matMul(x as tf.Tensor, w as tf.Tensor))) as tf.Scalar }),
});

const residentBytes = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;

describeGraph('the graph engine', () => {
  it('says what it is', async () => {
    await withEngine(
      async (engine) => {
        expect(engine.kind).toBe('graph');
        expect(engine.description).toMatch(/^graph: TensorFlow \d+\.\d+\.\d+, 1 thread, bf16$/);
      },
      { threads: 1, precision: 'bf16' },
    );
  });

  it('is what createEngine chooses when the library is there', async () => {
    const engine = await createEngine({ kind: 'auto', precision: 'fp32', threads: 1 });
    expect(engine.kind).toBe('graph');
    engine.dispose();
  });

  it('gives back what was written, whatever the shape and name', async () => {
    await withEngine(async (engine) => {
      await engine.define({ a: zeros(), 'blocks.0.attn.qkv.weight': zeros(2, 3), 'with space/and_underscore': zeros(0, 4) });
      const values = { a: float([], [3.5]), 'blocks.0.attn.qkv.weight': wave([2, 3]), 'with space/and_underscore': float([0, 4], []) };
      await engine.write(values);
      expect(await engine.read(Object.keys(values))).toEqual(values);
    });
  });

  it('creates optimizer state as zeros when a step is compiled, and lets it be written before the first run', async () => {
    await withEngine(async (engine) => {
      await engine.define({ w: ones(3, 2) });
      engine.compile(training('train', 2));
      expect(engine.stateNames()).toEqual(['w', 'adamw.m/w', 'adamw.v/w', 'grad/w']);
      await engine.write({ 'adamw.m/w': wave([3, 2]) });
      const state = await engine.read(['adamw.m/w', 'adamw.v/w']);
      expect(state['adamw.m/w']).toEqual(wave([3, 2]));
      expect(state['adamw.v/w']).toEqual(float([3, 2], [0, 0, 0, 0, 0, 0]));
    });
  });

  it('shares state between steps', async () => {
    await withEngine(async (engine) => {
      await engine.define({ w: ones(3, 2) });
      const train = engine.compile(training('train'));
      const evaluate = engine.compile({ name: 'sum', state: ['w'], compute: ({ w }) => ({ metrics: { sum: tf.sum(w as tf.Tensor) as tf.Scalar } }) });
      expect((await evaluate.run({})).metrics['sum']).toBe(6);
      await train.run({ x: wave([4, 3]) }, { lr: 0.1, update: 1 });
      const { w } = await engine.read(['w']);
      expect(Array.from(w!.data)).not.toEqual([1, 1, 1, 1, 1, 1]);
      expect((await evaluate.run({})).metrics['sum']).toBeCloseTo(Array.from(w!.data).reduce((a, b) => a + b), 5);
    });
  });

  it('keeps engines of one process apart', async () => {
    await withEngine(async (first) =>
      withEngine(async (second) => {
        await first.define({ w: zeros(2) });
        await second.define({ w: ones(2) });
        expect((await first.read(['w']))['w']).toEqual(float([2], [0, 0]));
        expect((await second.read(['w']))['w']).toEqual(float([2], [1, 1]));
      }),
    );
  });

  it('writes nothing when one of the values does not fit', async () => {
    await withEngine(async (engine) => {
      await engine.define({ a: zeros(2), b: zeros(2) });
      await expect(engine.write({ a: float([2], [1, 2]), b: float([3], [1, 2, 3]) })).rejects.toThrow('b: float32 [3] was given, float32 [2] is needed');
      await expect(engine.write({ a: float([2], [1, 2]), c: float([2], [1, 2]) })).rejects.toThrow('c: no state of this name');
      expect((await engine.read(['a']))['a']).toEqual(float([2], [0, 0]));
    });
  });

  it('refuses state that exists, unknown names, steps that update what they do not read, and use after dispose', async () => {
    await withEngine(async (engine) => {
      await engine.define({ w: ones(3, 2) });
      await expect(engine.define({ w: ones(1) })).rejects.toThrow('state of this name exists');
      await expect(engine.read(['v'])).rejects.toThrow('v: no state of this name');
      expect(() => engine.compile({ ...training('t'), state: ['v'] })).toThrow('v: no state of this name');
      expect(() => engine.compile({ ...training('t'), state: [] })).toThrow("updates 'w' but does not read it");
      expect(() => engine.compile({ ...training('t'), optimize: { updates: {} } })).toThrow('updates nothing');
      const step = engine.compile(training('t'));
      step.dispose();
      await expect(step.run({ x: wave([4, 3]) }, { lr: 1, update: 1 })).rejects.toThrow('the step was disposed');
      engine.dispose();
      await expect(engine.read(['w'])).rejects.toThrow('the engine was disposed');
    });
  });

  it('says what is wrong with inputs and options', async () => {
    await withEngine(async (engine) => {
      await engine.define({ w: ones(3, 2) });
      const step = engine.compile(training('train'));
      const x = wave([4, 3]);
      await expect(step.run({ x })).rejects.toThrow('learning rate undefined is not a number');
      await expect(step.run({ x }, { lr: 1 })).rejects.toThrow('update undefined');
      await expect(step.run({ x }, { phase: 'accumulate' })).rejects.toThrow('does not accumulate');
      await expect(step.run({ x }, { lr: 1, update: 1, outputs: ['maps'] })).rejects.toThrow("no output 'maps'");
      await expect(step.run({ x: { ...x, shape: [5, 3] } }, { lr: 1, update: 1 })).rejects.toThrow('train: input x: 12 numbers cannot have shape [5, 3]');
      await step.run({ x }, { lr: 1, update: 1 });
      await expect(step.run({}, { lr: 1, update: 1 })).rejects.toThrow('train: input x: the input is missing');
    });
  });

  it("passes TensorFlow's own message on", async () => {
    await withEngine(async (engine) => {
      const step = engine.compile({
        name: 'lookup',
        state: [],
        compute: (_, { rows }) => ({ metrics: { sum: tf.sum(tf.gather(tf.tensor1d([1, 2]), rows as tf.Tensor1D)) as tf.Scalar } }),
      });
      await expect(step.run({ rows: { shape: [1], dtype: 'int32', data: Int32Array.of(7) } })).rejects.toThrow('7 is not in [0, 2)');
    });
  });

  it('runs calls in their order and leaves the event loop free', async () => {
    await withEngine(async (engine) => {
      await engine.define({ w: ones(200, 200) });
      const step = engine.compile(training('train'));
      const x = wave([400, 200]);
      await step.run({ x }, { lr: 1e-3, update: 1 });
      let ticks = 0;
      const timer = setInterval(() => ticks++, 1);
      const ended: number[] = [];
      const runs = Array.from({ length: 10 }, (_, i) => step.run({ x }, { lr: 1e-3, update: i + 2 }).then(() => ended.push(i)));
      await Promise.all(runs);
      clearInterval(timer);
      expect(ended).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(ticks).toBeGreaterThan(2);
    });
  });

  it('holds no tensor and little more memory after 50 steps', async () => {
    await withEngine(async (engine) => {
      await engine.define({ w: ones(300, 300) });
      const step = engine.compile(training('train'));
      const x = wave([256, 300]);
      const before = aliveTensors();
      const numTensors = tf.memory().numTensors;
      for (let update = 1; update <= 5; update++) await step.run({ x }, { lr: 1e-4, update });
      const resident = residentBytes();
      for (let update = 6; update <= 55; update++) await step.run({ x }, { lr: 1e-4, update, outputs: update % 2 === 0 ? ['norms'] : [] });
      const bad = float([256, 300], new Float32Array(256 * 300).fill(NaN));
      await expect(step.run({ x: bad }, { lr: 1, update: 56 })).rejects.toThrow('loss NaN');
      expect(aliveTensors()).toBe(before);
      expect(tf.memory().numTensors).toBe(numTensors);
      // 50 leaked inputs alone would be 15 MB.
      expect(residentBytes() - resident).toBeLessThan(12e6);
    });
  });

  it('profiles a step: time by operation, peak of its own memory', async () => {
    await withEngine(async (engine) => {
      await engine.define({ w: ones(300, 300) });
      const step = engine.compile(training('train'));
      const { outcome, profile } = await profileStep(step, { x: wave([256, 300]) }, { lr: 1e-4, update: 1 });
      expect(outcome.metrics['loss']).toBeGreaterThan(0);
      const product = 256 * 300 * 4;
      expect(profile.peakBytes).toBeGreaterThan(product);
      expect(profile.peakBytes).toBeLessThan(20 * product);
      expect(Object.keys(profile.seconds).join()).toContain('MatMul');
      expect(profile.operations).toBeGreaterThan(10);
    });
  });

  it('cannot profile an eager step', async () => {
    await expect(profileStep({ run: () => Promise.reject(new Error('unused')), dispose: () => undefined }, {})).rejects.toThrow('only compiled steps');
  });

  it.runIf(process.platform === 'linux')('reads the peak of resident memory since it was reset', () => {
    resetResidentPeak();
    const before = residentPeak();
    const filled = new Uint8Array(64 << 20).fill(1);
    expect(residentPeak() - before).toBeGreaterThan(filled.length / 2);
  });
});
