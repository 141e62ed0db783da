import '@tensorflow/tfjs';
import type { NamedTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../contract.js';
import { findKernels, findTensorflow } from '../install/index.js';
import { createGraphEngine } from './graph-engine.js';
import { onCpu, onGraph, wave } from './graph-engine.fixture.js';

const location = findTensorflow();
const kernels = location === undefined ? undefined : findKernels(location);
if (kernels === undefined) process.stdout.write('skipped, no compiled kernels found: native products\n');
const t = (tensor: tf.Tensor | undefined): tf.Tensor => tensor as tf.Tensor;

/** Rows, columns and inner sides: whole tiles, one more and one less, several runs, runs in tasks of their own, a B packed in two parts. */
const SIZES = [
  [8, 8, 8],
  [14, 32, 16],
  [15, 33, 17],
  [37, 45, 29],
  [113, 550, 9],
  [16, 31, 1100],
  [100, 64, 513],
  [520, 530, 1030],
  [64, 4200, 1030],
] as const;

/** Sums of `terms` numbers of about 1, which cancel: what rounding leaves grows with their root. */
const close = (actual: Float32Array, expected: readonly number[], terms: number): void => {
  expect(actual.length).toBe(expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (actual[i] as number))), 0);
  expect(worst).toBeLessThanOrEqual(1e-6 * Math.sqrt(terms) * largest);
};

describe.skipIf(kernels === undefined)('native products', () => {
  const engines: Engine[] = [];
  beforeAll(() => {
    for (const threads of [1, 2, 3]) engines.push(createGraphEngine({ kind: 'graph', precision: 'fp32', threads }, location?.library as string, kernels));
  });
  afterAll(() => engines.forEach((engine) => engine.dispose()));
  const engine = (index: number): Engine => engines[index] as Engine;

  const sides = [false, true];
  it.each(SIZES.flatMap(([m, n, k]) => sides.flatMap((a) => sides.map((b) => ({ m, n, k, a, b })))))(
    'multiply $m x $k by $k x $n, transposed: $a, $b',
    async ({ m, n, k, a, b }) => {
      const inputs = { x: wave(a ? [k, m] : [m, k]), w: wave(b ? [n, k] : [k, n], 1) };
      const compute = ({ x, w }: NamedTensors): NamedTensors => ({ y: tf.matMul(t(x), t(w), a, b) });
      const actual = await onGraph(engine(1), compute, inputs);
      close(actual['y']?.data as Float32Array, onCpu(compute, inputs)['y'] as number[], k);
    },
  );

  it.each([[15, 33, 17], [14, 40, 1600]] as const)('add a bias, multiply and add what follows, %i x %i x %i', async (m, n, k) => {
    const inputs = { x: wave([m, k]), w: wave([k, n], 1), b: wave([n], 2), f: wave([m, n], 3), s: wave([m, n], 4) };
    const compute = ({ x, w, b, f, s }: NamedTensors): NamedTensors => {
      const product = (): tf.Tensor => tf.matMul(t(x), t(w));
      return {
        biased: tf.add(product(), t(b)),
        scaled: tf.mul(tf.add(product(), t(b)), t(f)),
        summed: tf.add(t(s), tf.add(product(), t(b))),
        // What the addend is made of is read by nobody else: its memory becomes the result.
        over: tf.add(product(), tf.exp(t(s))),
        all: tf.add(tf.mul(tf.add(product(), t(b)), t(f)), tf.exp(t(s))),
      };
    };
    // Equal products are merged and then read by several: one compilation each.
    for (const name of ['biased', 'scaled', 'summed', 'over', 'all']) {
      const one = (tensors: NamedTensors): NamedTensors => ({ [name]: t(compute(tensors)[name]) });
      const actual = await onGraph(engine(1), one, inputs, name);
      close(actual[name]?.data as Float32Array, onCpu(one, inputs)[name] as number[], k);
    }
  });

  it('give the same bits on one, two and three threads, run after run', async () => {
    const inputs = { x: wave([150, 1300]), w: wave([1300, 70], 1), v: wave([150, 40], 2) };
    const compute = ({ x, w, v }: NamedTensors): NamedTensors => ({ y: tf.matMul(t(x), t(w)), z: tf.matMul(t(x), t(v), true) });
    const first = await onGraph(engine(0), compute, inputs);
    for (const index of [1, 1, 2]) expect(await onGraph(engine(index), compute, inputs)).toEqual(first);
  });

  it('let NaN through, which the guard of a step relies on', async () => {
    const x = wave([16, 16]);
    x.data[17] = NaN;
    const { y } = await onGraph(engine(1), (inputs) => ({ y: tf.matMul(t(inputs['x']), t(inputs['x'])) }), { x });
    expect(Array.from((y?.data as Float32Array).subarray(16, 32)).every(Number.isNaN)).toBe(true);
    expect(Number.isNaN(y?.data[0] as number)).toBe(false);
  });
});
