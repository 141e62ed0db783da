import { CompositionError, type Branch } from '@mimlab/core';
import { torchUniform } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PrMimConfig, type PrMimInput } from '../config.js';
import { largest, makeParams, noise, roughParams } from '../host.fixture.js';
import { progressiveOptions, type ProgressiveOptions } from '../progressive-options.js';
import type { Aggregator } from './aggregator.js';
import { boxSum } from './box-sum.js';
import { createAggregator } from './create-aggregator.js';
import { meanOfNeighbours } from './dwconv.js';

const grid = { rows: 3, columns: 4 };
const WIDTH = 4;
const branch: Branch = {
  name: 'tokens',
  width: WIDTH,
  cells: 'known',
  cls: false,
  heads: 2,
  tokenwise: true,
  convInit: { weight: (kernel) => torchUniform(kernel * kernel), bias: (kernel) => torchUniform(kernel * kernel) },
  normParams: [],
  headParams: [],
  positions_Nd: () => noise([12, WIDTH], 'positions') as tf.Tensor2D,
};
const optionsOf = (input: PrMimInput): ProgressiveOptions => progressiveOptions(PrMimConfig.parse(input)) as ProgressiveOptions;
const make = (input: PrMimInput, site: Branch = branch): Aggregator => createAggregator({ branch: site, grid }, optionsOf(input));
const present = (cells: readonly number[]): Tensor3D => tf.tensor3d(Array.from({ length: 12 }, (_, cell) => (cells.includes(cell) ? 1 : 0)), [1, 12, 1]);
const ALL = Array.from({ length: 12 }, (_, cell) => cell);
const numbers = (x: tf.Tensor): number[] => Array.from(x.dataSync());

/** What a kernel does at each cell and channel, by its definition. */
function byDefinition(x: readonly number[], kernel: number, tap: (u: number, v: number, channel: number) => number): number[] {
  const half = (kernel - 1) / 2;
  return ALL.flatMap((cell) =>
    Array.from({ length: WIDTH }, (_, channel) => {
      let sum = 0;
      for (let u = 0; u < kernel; u++) {
        for (let v = 0; v < kernel; v++) {
          const row = Math.floor(cell / 4) + u - half;
          const column = (cell % 4) + v - half;
          if (row >= 0 && row < 3 && column >= 0 && column < 4) sum += (x[(row * 4 + column) * WIDTH + channel] as number) * tap(u, v, channel);
        }
      }
      return sum;
    }),
  );
}
const expectAll = (actual: readonly number[], expected: readonly number[], digits = 5): void => {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, digits));
};

describe('dwconv', () => {
  test.each([1, 3, 5, 7, 9])('kernel %i is a cross-correlation with zero padding, also where it is larger than the grid', (kernel) => {
    const aggregator = make({ aggregator: { kernel } });
    const params = roughParams(aggregator.params());
    const x = noise([1, 12, WIDTH], 'x', kernel) as Tensor3D;
    const weight = numbers(params['prmim.tokens.conv.weight'] as tf.Tensor);
    const bias = numbers(params['prmim.tokens.conv.bias'] as tf.Tensor);
    const expected = byDefinition(numbers(x), kernel, (u, v, channel) => weight[(u * kernel + v) * WIDTH + channel] as number).map((value, i) => value + (bias[i % WIDTH] as number));
    expectAll(numbers(aggregator.apply(x, present(ALL), params)), expected, 4);
  });
  test('its parameters: kernel in depth-wise layout, bias if asked for', () => {
    const specs = make({ aggregator: { kernel: 5 } }).params();
    expect(Object.keys(specs)).toEqual(['prmim.tokens.conv.weight', 'prmim.tokens.conv.bias']);
    expect(specs['prmim.tokens.conv.weight']).toMatchObject({ shape: [5, 5, WIDTH, 1], layout: { kind: 'depthwise' }, trainable: true });
    expect(Object.keys(make({ aggregator: { bias: false } }).params())).toEqual(['prmim.tokens.conv.weight']);
  });
  test('starts within ±1/kernel by the host rule and by its own', () => {
    for (const init of ['host', 'uniform'] as const) {
      const params = makeParams(make({ aggregator: { kernel: 5, init } }).params());
      for (const value of Object.values(params)) {
        expect(largest(value.dataSync())).toBeLessThanOrEqual(0.2);
        expect(largest(value.dataSync())).toBeGreaterThan(0.1);
      }
    }
  });
  test('init host asks the branch, not the wrapper', () => {
    const seven = { weight: () => (shape: readonly number[]) => new Float32Array(shape.reduce((a, b) => a * b)).fill(7), bias: () => () => new Float32Array(WIDTH).fill(8) };
    const params = makeParams(make({ aggregator: { kernel: 3 } }, { ...branch, convInit: seven }).params());
    expect([...new Set(Object.values(params).flatMap(numbers))]).toEqual([7, 8]);
  });
  test('init mean: every tap 1/k² but the centre', () => {
    const taps = meanOfNeighbours([3, 3, 2, 1], undefined as never);
    expect([...taps].map((tap) => Math.round(tap * 9))).toEqual([...Array<number>(8).fill(1), 0, 0, ...Array<number>(8).fill(1)]);
  });
  test('normalizeByCount scales by k² over known cells, and gives zeros, without bias, where there are none', () => {
    const aggregator = make({ normalizeByCount: true, aggregator: { kernel: 3 } });
    const plain = make({ aggregator: { kernel: 3, bias: false } });
    const params = roughParams(aggregator.params());
    const sources = present([0, 1, 4]);
    const x = tf.mul(noise([1, 12, WIDTH], 'counted'), sources) as Tensor3D;
    const convolved = numbers(plain.apply(x, sources, params));
    const bias = numbers(params['prmim.tokens.conv.bias'] as tf.Tensor);
    const counts = [3, 3, 1, 0, 3, 3, 1, 0, 1, 1, 0, 0];
    const expected = convolved.map((value, i) => {
      const count = counts[Math.floor(i / WIDTH)] as number;
      return count === 0 ? 0 : (value * 9) / count + (bias[i % WIDTH] as number);
    });
    expectAll(numbers(aggregator.apply(x, sources, params)), expected, 4);
  });
});

describe('avgpool', () => {
  test.each([3, 7])('kernel %i divides by kernel², zeros outside the grid included', (kernel) => {
    const x = noise([1, 12, WIDTH], 'pool', kernel) as Tensor3D;
    expectAll(numbers(make({ aggregator: { kind: 'avgpool', kernel } }).apply(x, present(ALL), {})), byDefinition(numbers(x), kernel, () => 1 / (kernel * kernel)));
  });
  test('countKnown divides by the tokens that are there', () => {
    const sources = present([0, 5]);
    const x = tf.mul(tf.ones([1, 12, WIDTH]), sources) as Tensor3D;
    const out = numbers(make({ aggregator: { kind: 'avgpool', kernel: 3, countKnown: true } }).apply(x, sources, {}));
    // The mean of ones is one wherever a token is near, zero elsewhere.
    expect(ALL.map((cell) => out[cell * WIDTH])).toEqual([1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0]);
  });
  test('has neither parameters nor products', () => {
    const aggregator = make({ aggregator: { kind: 'avgpool' } });
    expect(aggregator.params()).toEqual({});
    expect(aggregator.macs).toBe(0);
  });
});

test('the window sum is its own adjoint: <sum(x), y> = <x, sum(y)>, and so its gradient', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.constantFrom(1, 3, 5, 7), fc.nat(), (rows, columns, kernel, seed) => {
      const x = noise([1, rows, columns, 2], 'sum-x', seed) as Tensor4D;
      const y = noise([1, rows, columns, 2], 'sum-y', seed) as Tensor4D;
      const inner = (a: tf.Tensor, b: tf.Tensor): number => tf.sum(tf.mul(a, b)).dataSync()[0] as number;
      expect(inner(boxSum(x, kernel), y)).toBeCloseTo(inner(x, boxSum(y, kernel)), 3);
      const gradient = tf.grad((given: tf.Tensor) => tf.sum(tf.mul(boxSum(given as Tensor4D, kernel), y)))(x);
      expectAll(numbers(gradient), numbers(boxSum(y, kernel)));
    }),
    { numRuns: 20 },
  );
});

describe('transformer', () => {
  test('tells empty cells apart by their positions', () => {
    const aggregator = make({ aggregator: { kind: 'transformer' } });
    const x = tf.mul(noise([1, 12, WIDTH], 'tokens'), present([0, 1])) as Tensor3D;
    const out = numbers(aggregator.apply(x, present([0, 1]), roughParams(aggregator.params())));
    expect(out.slice(5 * WIDTH, 6 * WIDTH)).not.toEqual(out.slice(6 * WIDTH, 7 * WIDTH));
  });
  test('adds no positions where mask tokens with positions stand already', () => {
    const aggregator = make({ fill: 'mask-token', aggregator: { kind: 'transformer' } });
    const out = numbers(aggregator.apply(tf.zeros([1, 12, WIDTH]), present([]), roughParams(aggregator.params())));
    expectAll(out.slice(0, WIDTH), out.slice(7 * WIDTH, 8 * WIDTH));
  });
  test('is a block with the official names and four times the width inside', () => {
    const specs = make({ aggregator: { kind: 'transformer' } }).params();
    expect(Object.keys(specs)).toContain('prmim.tokens.transformer.attn.qkv.weight');
    expect(specs['prmim.tokens.transformer.mlp.fc1.weight']?.shape).toEqual([WIDTH, 4 * WIDTH]);
  });
  test('refuses a branch without positions, unless mask tokens bring them', () => {
    const bare: Branch = { ...branch };
    delete (bare as { positions_Nd?: unknown }).positions_Nd;
    expect(() => make({ aggregator: { kind: 'transformer' } }, bare)).toThrow(CompositionError);
    expect(() => make({ aggregator: { kind: 'transformer' } }, bare)).toThrow(`branch 'tokens' has no position vectors`);
    expect(() => make({ aggregator: { kind: 'transformer' }, fill: 'mask-token' }, bare)).not.toThrow();
  });
  test('refuses heads that do not divide the width', () => {
    expect(() => make({ aggregator: { kind: 'transformer' } }, { ...branch, heads: 3 })).toThrow('3 heads');
  });
});

describe('convnext', () => {
  const x = noise([1, 12, WIDTH], 'convnext') as Tensor3D;
  test('passes tokens through where its scale is tiny', () => {
    const aggregator = make({ aggregator: { kind: 'convnext', scale: 1e-6 } });
    expectAll(numbers(aggregator.apply(x, present(ALL), makeParams(aggregator.params()))), numbers(x), 4);
  });
  test('the scale is learned, a channel each, and starts as configured', () => {
    const specs = make({ aggregator: { kind: 'convnext', scale: 0.25 } }).params();
    expect(numbers(makeParams(specs)['prmim.tokens.convnext.gamma'] as tf.Tensor)).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(Object.keys(specs)).toEqual(
      ['gamma', 'dwconv.weight', 'dwconv.bias', 'norm.weight', 'norm.bias', 'pwconv1.weight', 'pwconv1.bias', 'pwconv2.weight', 'pwconv2.bias'].map((name) => `prmim.tokens.convnext.${name}`),
    );
  });
  test('a channel whose scale is zero is the input', () => {
    const aggregator = make({ aggregator: { kind: 'convnext' } });
    const params = { ...roughParams(aggregator.params()), 'prmim.tokens.convnext.gamma': tf.tensor1d([0, 1, 1, 1]) };
    const out = numbers(aggregator.apply(x, present(ALL), params));
    const first = (values: readonly number[]): number[] => values.filter((_, i) => i % WIDTH === 0);
    expectAll(first(out), first(numbers(x)));
    expect(out).not.toEqual(numbers(x));
  });
});

test('costs: k²dN, 12d²N + 2N²d, (k² + 8d)dN', () => {
  expect(make({ aggregator: { kernel: 5 } }).macs).toBe(25 * WIDTH * 12);
  expect(make({ aggregator: { kind: 'transformer' } }).macs).toBe(12 * WIDTH * WIDTH * 12 + 2 * 144 * WIDTH);
  expect(make({ aggregator: { kind: 'convnext' } }).macs).toBe((49 + 8 * WIDTH) * WIDTH * 12);
});

test('a branch that does not say how convolutions start is refused where that is asked', () => {
  const bare = { ...branch, convInit: undefined } as unknown as Branch;
  expect(() => make({}, bare)).toThrow('does not say how its convolutions start');
  expect(() => make({ aggregator: { kind: 'convnext' } }, bare)).toThrow(CompositionError);
  expect(() => make({ aggregator: { init: 'mean' } }, bare)).not.toThrow();
});
