import type { HostTensor, NamedTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, Precision } from '../contract.js';
import { findKernels, findTensorflow } from '../install/index.js';
import { createGraphEngine } from './graph-engine.js';
import { float, onCpu, onGraph, wave } from './graph-engine.fixture.js';

const location = findTensorflow();
const kernels = location === undefined ? undefined : findKernels(location);
if (kernels === undefined) process.stdout.write('skipped, no compiled kernels found: fused kernels\n');

const engineOf = (threads: number, precision: Precision = 'fp32'): Engine =>
  createGraphEngine({ kind: 'graph', precision, threads }, location?.library as string, kernels);
const t = (tensor: tf.Tensor | undefined): tf.Tensor => tensor as tf.Tensor;
const fused = (kernel: string, inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap = {}): tf.Tensor[] => {
  const result = tf.engine().runKernel(kernel, inputs, attrs) as unknown as tf.Tensor | tf.Tensor[];
  return Array.isArray(result) ? result : [result];
};
const named = (tensors: readonly tf.Tensor[]): NamedTensors => Object.fromEntries(tensors.map((tensor, i) => [`out${i}`, tensor]));

/** Each kernel, and the same written out in tfjs operations. */
interface Pair {
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, HostTensor>>;
  readonly fused: (inputs: NamedTensors) => tf.Tensor[];
  readonly written: (inputs: NamedTensors) => tf.Tensor[];
}

const epsilon = 1e-6;
const normalized = (x: tf.Tensor): [normal: tf.Tensor, mean: tf.Tensor, rstd: tf.Tensor] => {
  const mean = tf.mean(x, -1, true);
  const rstd = tf.rsqrt(tf.add(tf.mean(tf.square(tf.sub(x, mean)), -1, true), epsilon));
  return [tf.mul(tf.sub(x, mean), rstd), mean, rstd];
};
const layer = { x: wave([70, 24]), dy: wave([70, 24], 3), gain: wave([24], 1), offset: wave([24], 2) };

/** Attention written out: [B*n, 3D] to [B*n, D]. */
function attended(qkv: tf.Tensor, tokens: number, heads: number): tf.Tensor {
  const [rows = 0, width = 0] = qkv.shape;
  const head = width / 3 / heads;
  const [q, k, v] = tf.unstack(tf.transpose(tf.reshape(qkv, [rows / tokens, tokens, 3, heads, head]), [2, 0, 3, 1, 4])) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const probabilities = tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(head)));
  return tf.reshape(tf.transpose(tf.matMul(probabilities, v), [0, 2, 1, 3]), [rows, width / 3]);
}

/** Sequences of one token, of less and more than a tile of the native product, and of more than one run. */
const ATTENTION = [
  { batch: 2, tokens: 1, heads: 2, head: 3 },
  { batch: 3, tokens: 17, heads: 3, head: 8 },
  { batch: 2, tokens: 65, heads: 1, head: 40 },
  { batch: 1, tokens: 530, heads: 1, head: 4 },
];

const attentionPairs = ({ batch, tokens, heads, head }: (typeof ATTENTION)[number]): Pair[] => {
  const rows = batch * tokens;
  const width = heads * head;
  const name = `${batch} sequences of ${tokens}, ${heads} heads of ${head}`;
  return [
    {
      kernel: `MimAttention (${name})`,
      inputs: { qkv: wave([rows, 3 * width]) },
      fused: ({ qkv }) => fused('MimAttention', { qkv: t(qkv) }, { tokens, heads }),
      written: ({ qkv }) => [attended(t(qkv), tokens, heads)],
    },
    {
      kernel: `MimAttentionGrad (${name})`,
      inputs: { qkv: wave([rows, 3 * width]), dout: wave([rows, width], 2) },
      fused({ qkv, dout }) {
        const out = t(fused('MimAttention', { qkv: t(qkv) }, { tokens, heads })[0]);
        return fused('MimAttentionGrad', { dout: t(dout), qkv: t(qkv), out }, { tokens, heads });
      },
      written: ({ qkv, dout }) => [tf.grad((x) => attended(x, tokens, heads))(t(qkv), t(dout))],
    },
  ];
};

const PAIRS: Pair[] = [
  ...ATTENTION.flatMap(attentionPairs),
  {
    kernel: 'MimGelu',
    inputs: { x: float([13], [-100, -9, -4, -3, -1, -0.1, 0, 0.1, 0.5, 1, 3, 9, 100]) },
    fused: ({ x }) => fused('MimGelu', { x: t(x) }),
    written({ x }) {
      const distribution = tf.mul(0.5, tf.add(1, tf.erf(tf.mul(t(x), Math.SQRT1_2))));
      const density = tf.mul(tf.exp(tf.mul(-0.5, tf.square(t(x)))), 1 / Math.sqrt(2 * Math.PI));
      return [tf.mul(t(x), distribution), tf.add(distribution, tf.mul(t(x), density))];
    },
  },
  {
    kernel: 'MimLayerNorm',
    inputs: layer,
    fused: ({ x, gain, offset }) => fused('MimLayerNorm', { x: t(x), gain: t(gain), offset: t(offset) }, { epsilon }),
    written({ x, gain, offset }) {
      const [normal, mean, rstd] = normalized(t(x));
      return [tf.add(tf.mul(normal, t(gain)), t(offset)), mean, rstd];
    },
  },
  {
    kernel: 'MimLayerNormGrad',
    inputs: layer,
    fused({ x, dy, gain }) {
      const [, mean, rstd] = normalized(t(x));
      return fused('MimLayerNormGrad', { dy: t(dy), x: t(x), gain: t(gain), mean: t(mean), rstd: t(rstd) });
    },
    written({ x, dy, gain, offset }) {
      const apply = (a: tf.Tensor, g: tf.Tensor, o: tf.Tensor): tf.Tensor => tf.add(tf.mul(normalized(a)[0], g), o);
      return tf.grads(apply)([t(x), t(gain), t(offset)], t(dy));
    },
  },
  {
    kernel: 'MimColumnSums',
    inputs: { x: wave([1000, 7]) },
    fused: ({ x }) => fused('MimColumnSums', { x: t(x) }),
    written: ({ x }) => [tf.sum(t(x), 0)],
  },
];

describe.skipIf(kernels === undefined)('fused kernels', () => {
  const engines: Engine[] = [];
  beforeAll(() => {
    engines.push(engineOf(2), engineOf(1), engineOf(2, 'bf16'));
  });
  afterAll(() => engines.forEach((engine) => engine.dispose()));
  const engine = (index: number): Engine => engines[index] as Engine;

  it.each(PAIRS)('$kernel gives what its operations give one by one', async (pair) => {
    const expected = onCpu((inputs) => named(pair.written(inputs)), pair.inputs);
    const actual = await onGraph(engine(0), (inputs) => named(pair.fused(inputs)), pair.inputs);
    expect(Object.keys(actual)).toEqual(Object.keys(expected));
    for (const [name, values] of Object.entries(expected)) {
      const largest = Math.max(1, ...values.map(Math.abs));
      values.forEach((value, i) => expect(Math.abs((actual[name]?.data[i] as number) - value), `${name}[${i}]`).toBeLessThanOrEqual(3e-6 * largest));
    }
  });

  it.each(PAIRS)('$kernel gives the same bits on one and on two threads', async (pair) => {
    const two = await onGraph(engine(0), (inputs) => named(pair.fused(inputs)), pair.inputs);
    const one = await onGraph(engine(1), (inputs) => named(pair.fused(inputs)), pair.inputs);
    expect(one).toEqual(two);
  });

  it('lets NaN through, which the guard of a step relies on', async () => {
    const x = float([70, 2], Array.from({ length: 140 }, (_, i) => (i === 5 ? NaN : i)));
    const { sums, activated } = await onGraph(
      engine(0),
      (inputs) => ({ sums: t(fused('MimColumnSums', { x: t(inputs['x']) })[0]), activated: t(fused('MimGelu', { x: t(inputs['x']) })[0]) }),
      { x },
    );
    expect(Array.from(sums?.data ?? [])).toEqual([4830, NaN]);
    expect(Number.isNaN(activated?.data[5])).toBe(true);
    expect(activated?.data[4]).toBeCloseTo(4, 3);
  });

  it('computes GELU of bfloat16 in float32 and rounds once', async () => {
    const x = wave([64]);
    const compute = (inputs: NamedTensors): NamedTensors => {
      // The product makes it bfloat16.
      const half = tf.matMul(tf.reshape(t(inputs['x']), [64, 1]), tf.ones([1, 2]));
      return { y: t(fused('MimGelu', { x: half })[0]) };
    };
    const full = await onGraph(engine(0), compute, { x });
    const half = await onGraph(engine(2), compute, { x });
    full['y']?.data.forEach((value, i) => expect(Math.abs(value - (half['y']?.data[i] as number))).toBeLessThanOrEqual(0.01));
    expect(half['y']?.data).not.toEqual(full['y']?.data);
  });

  it('attends in bfloat16 with float32 inside', async () => {
    const [tokens, heads, rows] = [5, 2, 10];
    const compute = ({ x, w }: NamedTensors): NamedTensors => ({ y: t(fused('MimAttention', { qkv: tf.matMul(t(x), t(w)) }, { tokens, heads })[0]) });
    const inputs = { x: wave([rows, 4]), w: wave([4, 24], 1) };
    const full = await onGraph(engine(0), compute, inputs);
    const half = await onGraph(engine(2), compute, inputs);
    full['y']?.data.forEach((value, i) => expect(Math.abs(value - (half['y']?.data[i] as number))).toBeLessThanOrEqual(0.03));
    expect(half['y']?.data).not.toEqual(full['y']?.data);
  });

  it('lets NaN through in attention, in its own sequence alone', async () => {
    const qkv = wave([6, 12]);
    qkv.data[0] = NaN;
    const { y } = await onGraph(engine(0), (inputs) => ({ y: t(fused('MimAttention', { qkv: t(inputs['qkv']) }, { tokens: 3, heads: 1 })[0]) }), { qkv });
    expect(Array.from(y?.data ?? [], Number.isNaN)).toEqual(Array.from({ length: 24 }, (_, i) => i < 4));
  });

  it('are left to XLA where that is asked for', () => {
    const xla = createGraphEngine({ kind: 'graph', precision: 'fp32', threads: 1, xla: true }, location?.library as string, kernels);
    expect(xla.description).not.toContain('fused');
    expect(engine(0).description).toContain('fused kernels');
    xla.dispose();
  });

  it('name the file that cannot be loaded', () => {
    expect(() => createGraphEngine({ kind: 'graph', precision: 'fp32' }, location?.library as string, '/nowhere/kernels.so')).toThrow(/nowhere.*MIMLAB_FUSED_KERNELS/s);
  });
});
