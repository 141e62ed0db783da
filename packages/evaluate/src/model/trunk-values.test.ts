import { CompositionError, type HostTensor, type NamedHostTensors, type ParamSpecs } from '@mimlab/core';
import type { Engine } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cpuEngine, tinyEncoder } from '../../testing/tiny-evaluation.js';
import { defineParameters, ensureEncoder } from './define-state.js';
import { requireTrunk, trunkValues } from './trunk-values.js';

let engine: Engine;
beforeEach(async () => {
  engine = await cpuEngine();
});
afterEach(() => {
  engine.dispose();
});

const vector = (...data: number[]): HostTensor => ({ shape: [data.length], dtype: 'float32', data: Float32Array.from(data) });
const spec = (init: () => Float32Array): ParamSpecs[string] => ({ shape: [2], trainable: true, layout: { kind: 'same' }, init });
const ones = spec(() => Float32Array.of(1, 1));
const encoder = tinyEncoder();

describe('the trunk of an encoder', () => {
  const { architecture } = requireTrunk(encoder);
  /** A table shared by two blocks, an adapter folded into a weight, a norm that pre-training alone has. */
  const trunk = {
    architecture,
    params: (params: Readonly<Record<string, tf.Tensor>>) => ({
      'blocks.0.table': params['table'] as tf.Tensor,
      'blocks.1.table': params['table'] as tf.Tensor,
      weight: tf.add(params['weight'] as tf.Tensor, params['adapter'] as tf.Tensor),
      norm: params['table'] as tf.Tensor,
    }),
  };
  const specs: ParamSpecs = { 'blocks.0.table': ones, 'blocks.1.table': ones, weight: ones, fresh: ones };

  it('has values that follow from the encoder’s, and none of what the classifier lacks or has of its own', async () => {
    const values = await trunkValues(engine, trunk, { table: vector(1, 2), weight: vector(10, 20), adapter: vector(0.5, 1) }, specs);
    expect(Object.fromEntries(Object.entries(values).map(([name, { data }]) => [name, [...data]]))).toEqual({
      'blocks.0.table': [1, 2],
      'blocks.1.table': [1, 2],
      weight: [10.5, 21],
    });
    expect(engine.stateNames()).toEqual([]);
  });

  it('is asked for by name where an encoder does not tell it', () => {
    const { trunk: own, ...bare } = encoder;
    expect(requireTrunk(encoder)).toBe(own);
    expect(() => requireTrunk(bare)).toThrow(CompositionError);
    expect(() => requireTrunk(bare)).toThrow(/Evaluate its frozen features \(knn, linear\)/);
  });
});

describe('parameters of a classifier', () => {
  const drawn: ParamSpecs = { given: ones, fresh: { ...ones, init: (_shape, random) => Float32Array.of(random.normal(), random.normal()) } };
  const read = async (name: string): Promise<number[]> => [...((await engine.read([name]))[name] as HostTensor).data];

  it('have the values given, and start from the seed where none are', async () => {
    await defineParameters(engine, drawn, { given: vector(7, 8) }, 3);
    expect(await read('given')).toEqual([7, 8]);
    const other = await cpuEngine();
    await defineParameters(other, drawn, {}, 3);
    expect([...((await other.read(['fresh']))['fresh'] as HostTensor).data]).toEqual(await read('fresh'));
    expect([...((await other.read(['given']))['given'] as HostTensor).data]).toEqual([1, 1]);
    other.dispose();
  });

  it('start otherwise under another seed', async () => {
    await defineParameters(engine, drawn, {}, 3);
    const other = await cpuEngine();
    await defineParameters(other, drawn, {}, 4);
    expect([...((await other.read(['fresh']))['fresh'] as HostTensor).data]).not.toEqual(await read('fresh'));
    other.dispose();
  });
});

describe('the encoder in an engine', () => {
  const values = (): NamedHostTensors =>
    Object.fromEntries(Object.entries(encoder.params()).map(([name, { shape }]): [string, HostTensor] => [name, { shape, dtype: 'float32', data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.25) }]));

  it('is loaded once, and found there after that', async () => {
    let loads = 0;
    const model = { encoder, encoderValues: async () => (loads++, values()) };
    await ensureEncoder(engine, model);
    await ensureEncoder(engine, model);
    expect(loads).toBe(1);
    expect([...((await engine.read(['norm.bias']))['norm.bias'] as HostTensor).data]).toEqual(Array<number>(8).fill(0.25));
  });
});
