import { asBlock, type NamedTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Recompute, StepDefinition } from '../../contract.js';
import type { Recording, TracedNode } from '../../trace/recording.js';
import { traceStep } from '../../trace/trace-step.js';
import { describeGraph, wave, withEngine } from '../graph-engine.fixture.js';
import { profileStep } from '../profile-step.js';
import { optimizeRecording } from '../optimize-recording.js';
import { keptMemory } from './kept-memory.js';
import { recomputeForward } from './recompute.js';

const [ROWS, WIDTH, DEPTH] = [64, 48, 6];
const t = (tensors: NamedTensors, name: string): tf.Tensor2D => tensors[name] as tf.Tensor2D;

/** A deep residual network: each block is x + tanh(exp(-(x a)^2)) b. */
const deep: StepDefinition = {
  name: 'deep',
  state: Array.from({ length: DEPTH }, (_, i) => [`a${i}`, `b${i}`]).flat(),
  compute(state, inputs) {
    let x = t(inputs, 'x');
    for (let i = 0; i < DEPTH; i++) {
      const input = x;
      x = asBlock(() => tf.add(input, tf.matMul(tf.tanh(tf.exp(tf.neg(tf.square(tf.matMul(input, t(state, `a${i}`)))))), t(state, `b${i}`))));
    }
    return { loss: tf.mean(tf.square(x)) as tf.Scalar };
  },
  optimize: { updates: Object.fromEntries(Array.from({ length: DEPTH }, (_, i) => [`a${i}`, `b${i}`]).flat().map((name) => [name, { rule: { kind: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-8 }, decay: 0.05, lrScale: 1 }])) },
};

const shapes = new Map(deep.state.map((name) => [name, [WIDTH, WIDTH]]));
function recorded(definition: StepDefinition = deep): Recording {
  const recording = traceStep(definition, shapes, { x: { shape: [ROWS, WIDTH], dtype: 'float32' } });
  return optimizeRecording(recording, Object.keys(recording.outputs));
}
const repeatedKernels = ({ nodes }: Recording): string[] => nodes.filter(({ repeated }) => repeated).map(({ kernel }) => kernel);
const keptBytes = (recording: Recording): number => Object.values(keptMemory(recording, 'fp32').parts).reduce((a, b) => a + b, 0);
const ACTIVATION = 4 * ROWS * WIDTH;

/** Every value is made before it is read, once. */
function wellOrdered({ inputs, nodes, outputs }: Recording): boolean {
  const made = new Set<unknown>(Object.values(inputs).map(({ value }) => value));
  for (const node of nodes) {
    if (!node.inputs.every((value) => made.has(value))) return false;
    for (const value of node.outputs) {
      if (made.has(value)) return false;
      made.add(value);
    }
  }
  return Object.values(outputs).every((value) => made.has(value));
}

describe('recomputeForward', () => {
  it('leaves everything as it is unless asked', () => {
    const recording = recorded();
    expect(recomputeForward(recording, 'none')).toBe(recording);
  });

  it('repeats elementwise operations from what products gave', () => {
    const recording = recomputeForward(recorded(), 'cheap');
    // A block keeps the product that its chain starts from; its input is the sum that the block before it gave.
    expect(keptBytes(recording)).toBe(2 * DEPTH * ACTIVATION);
    expect(new Set(repeatedKernels(recording))).toEqual(new Set(['Square', 'Neg', 'Exp', 'Tanh']));
  });

  it('repeats whole blocks from what went into them, and keeps nothing else', () => {
    const recording = recomputeForward(recorded(), 'blocks');
    // The first block starts from the step's input, which is there anyway; the loss reads what the last one gave.
    expect(keptBytes(recording)).toBe(DEPTH * ACTIVATION);
    expect(repeatedKernels(recording).filter((kernel) => kernel === 'BatchMatMul')).toHaveLength(DEPTH);
  });

  it('saves memory from step to step of its scale', () => {
    expect(keptBytes(recorded())).toBeGreaterThan(keptBytes(recomputeForward(recorded(), 'cheap')));
  });

  it.each(['cheap', 'blocks'] as const)('%s: makes every value before it is read, and repeats only in the backward pass', (recompute) => {
    const recording = recomputeForward(recorded(), recompute);
    expect(wellOrdered(recording)).toBe(true);
    expect(recording.nodes.filter(({ repeated }) => repeated).every(({ pass }) => pass === 'backward')).toBe(true);
    expect(recording.nodes.filter(({ pass }) => pass === 'forward')).toEqual(recorded().nodes.filter(({ pass }) => pass === 'forward'));
  });

  it('repeats a block right before its own backward pass, not all of them before the first', () => {
    const { nodes } = recomputeForward(recorded(), 'blocks');
    const products = nodes.filter(({ pass, kernel }) => pass === 'backward' && kernel === 'BatchMatMul');
    const places = products.flatMap(({ repeated }: TracedNode, place) => (repeated ? [place] : []));
    // Behind each repeated product stand the four of the block's gradients; the first block has no input to differentiate.
    expect(places.slice(1).map((place, i) => place - (places[i] as number))).toEqual(new Array(DEPTH - 1).fill(5));
  });

  it('keeps what is read outside blocks, where there are no blocks to repeat', () => {
    const flat: StepDefinition = { ...deep, compute: (state, inputs) => ({ loss: tf.mean(tf.square(tf.matMul(tf.matMul(t(inputs, 'x'), t(state, 'a0')), t(state, 'b0')))) as tf.Scalar }) };
    const recording = recorded(flat);
    expect(keptBytes(recomputeForward(recording, 'blocks'))).toBe(keptBytes(recording));
  });
});

describeGraph('steps that recompute', () => {
  const run = (recompute: Recompute) =>
    withEngine(
      async (engine) => {
        await engine.define(Object.fromEntries(deep.state.map((name, i) => [name, { shape: [WIDTH, WIDTH], init: () => Float32Array.from(wave([WIDTH, WIDTH], i).data, (x) => x / 7) }])));
        const step = engine.compile(deep);
        const x = wave([ROWS, WIDTH]);
        const losses: number[] = [];
        for (let update = 1; update <= 3; update++) losses.push((await step.run({ x }, { lr: 1e-3, update })).metrics['loss'] as number);
        const { profile } = await profileStep(step, { x }, { lr: 1e-3, update: 4 });
        return { losses, state: await engine.read(engine.stateNames()), peak: profile.peakBytes };
      },
      { recompute, threads: 1 },
    );

  it('give the same loss, parameters and moments to the bit, in less memory', async () => {
    const [none, cheap, blocks] = [await run('none'), await run('cheap'), await run('blocks')];
    for (const { losses, state } of [cheap, blocks]) {
      expect(losses).toEqual(none.losses);
      expect(state).toEqual(none.state);
    }
    expect(cheap.peak).toBeLessThan(none.peak);
    expect(blocks.peak).toBeLessThan(cheap.peak);
    expect(none.peak - blocks.peak).toBeGreaterThan(DEPTH * ACTIVATION);
  });

  it('are refused together with XLA', async () => {
    await expect(async () => withEngine(() => Promise.resolve(), { recompute: 'blocks', xla: true })).rejects.toThrow(expect.objectContaining({ place: 'engine.recompute' }));
  });

  it('say so in the description of their engine', async () => {
    expect(await withEngine((engine) => Promise.resolve(engine.description), { recompute: 'cheap' })).toContain('recomputing cheap');
  });
});
