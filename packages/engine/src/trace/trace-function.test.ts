import '@tensorflow/tfjs';
import { part, type NamedTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { countMacs } from './count-macs.js';
import { traceFunction } from './trace-function.js';

const float = (...shape: number[]) => ({ shape, dtype: 'float32' as const });
const t = (tensor: tf.Tensor | undefined): tf.Tensor => tensor as tf.Tensor;

beforeEach(async () => {
  await tf.setBackend('cpu');
});

describe('traceFunction', () => {
  it('writes operations down in order, with shapes, types and the part they belong to', () => {
    const { nodes, outputs, inputs } = traceFunction(
      ({ x }) => ({ y: part('encoder', () => tf.sum(tf.exp(t(x)), 1)), positive: tf.greater(t(x), 0) }),
      { x: float(2, 3) },
    );
    expect(nodes.map(({ kernel, part: name }) => [kernel, name])).toEqual([['Exp', 'encoder'], ['Sum', 'encoder'], ['Const', ''], ['Greater', '']]);
    expect(outputs['y']).toMatchObject({ shape: [2], dtype: 'float32' });
    expect(outputs['positive']).toMatchObject({ shape: [2, 3], dtype: 'bool' });
    expect(nodes[0]?.inputs[0]).toBe(inputs['x']?.value);
    expect(nodes.every(({ pass }) => pass === 'forward')).toBe(true);
  });

  it('records no copies: identity, reshape to the same shape, full slice', () => {
    const { nodes, outputs, inputs } = traceFunction(({ x }) => ({ y: tf.slice(tf.reshape(tf.clone(t(x)), [2, 3]), [0, 0], [2, 3]) }), { x: float(2, 3) });
    expect(nodes).toEqual([]);
    expect(outputs['y']).toBe(inputs['x']?.value);
  });

  it('takes tensors made outside as constants', () => {
    const table = tf.tensor1d([1, 2, 3]);
    const { nodes } = traceFunction(({ x }) => ({ y: tf.add(t(x), table) }), { x: float(2, 3) });
    expect(nodes[0]).toMatchObject({ kernel: 'Const', data: Float32Array.of(1, 2, 3) });
    table.dispose();
  });

  it('shows bytes as int32', () => {
    const { outputs } = traceFunction(({ x }) => ({ x: t(x) }), { x: { shape: [2], dtype: 'uint8' } });
    expect(outputs['x']?.dtype).toBe('int32');
  });

  it('puts the backend of before back and leaves no tensor behind, even after an error', () => {
    const before = tf.memory().numTensors;
    traceFunction(({ x }) => ({ y: tf.grad((a) => tf.sum(tf.square(a)))(t(x)) }), { x: float(3) });
    expect(() =>
      traceFunction(() => {
        throw new Error('broken model');
      }, {}),
    ).toThrow('broken model');
    expect(tf.getBackend()).toBe('cpu');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('names the kernel that cannot be compiled', () => {
    expect(() => traceFunction(({ x }) => ({ y: tf.cumsum(t(x)) }), { x: float(3) })).toThrow(expect.objectContaining({ name: 'EngineError', place: 'Cumsum' }));
  });

  it('says so when data is read inside a step', () => {
    expect(() => traceFunction(({ x }) => ({ y: tf.scalar(t(x).dataSync()[0] as number) }), { x: float(3) })).toThrow('data read inside a step');
  });

  it('refuses a trace inside a trace, products that do not fit, and an output that is none', () => {
    expect(() => traceFunction(() => ({ y: traceFunction(() => ({ z: tf.scalar(1) }), {}) as unknown as tf.Tensor }), {})).toThrow('inside a trace');
    expect(() => traceFunction(({ x }) => ({ y: tf.engine().runKernel('BatchMatMul', { a: t(x), b: t(x) }) }), { x: float(2, 3) })).toThrow('do not multiply');
    expect(() => traceFunction(() => ({ y: undefined as unknown as tf.Tensor }), {})).toThrow("output 'y' is not a tensor");
  });

  it('refuses pooling with paddings that TensorFlow has no name for', () => {
    expect(() => traceFunction(({ x }) => ({ y: tf.avgPool(x as tf.Tensor4D, 3, 1, 0) }), { x: float(1, 5, 5, 2) })).not.toThrow();
    expect(() => traceFunction(({ x }) => ({ y: tf.avgPool(x as tf.Tensor4D, 5, 1, 1) }), { x: float(1, 5, 5, 2) })).toThrow('padding');
  });

  it('offers fused kernels to those who can lower them, and to nobody else', () => {
    const specs = { x: float(2, 3), g: float(3) };
    const offered = (): boolean => tf.getKernel('MimGelu', tf.getBackend()) !== undefined;
    traceFunction(({ x }) => {
      expect(offered()).toBe(false);
      return { x: t(x) };
    }, specs);
    const { nodes } = traceFunction(
      ({ x, g }) => {
        const [y] = tf.engine().runKernel('MimLayerNorm', { x: t(x), gain: t(g), offset: t(g) }, { epsilon: 1e-6 }) as unknown as tf.Tensor[];
        const [activated] = tf.engine().runKernel('MimGelu', { x: t(y) }) as unknown as tf.Tensor[];
        return { y: t(activated) };
      },
      specs,
      true,
    );
    expect(tf.getKernel('MimGelu', 'trace')).toBeUndefined();
    expect(nodes[0]).toMatchObject({ kernel: 'MimLayerNorm', attrs: { epsilon: 1e-6 }, outputs: [{ shape: [2, 3] }, { shape: [2, 1] }, { shape: [2, 1] }] });
    expect(nodes[1]?.kernel).toBe('MimGelu');
  });
});

describe('countMacs', () => {
  it('counts products and convolutions, part by part', () => {
    const recording = traceFunction(
      ({ a, b, x, f, d }) => ({
        plain: part('encoder', () => tf.matMul(t(a), t(b), true)),
        batched: part('decoder', () => tf.matMul(tf.reshape(t(a), [1, 3, 2]), tf.reshape(t(b), [1, 4, 3]), true, true)),
        conv: part('aggregator', () => tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 1, 'same')),
        depthwise: part('aggregator', () => tf.depthwiseConv2d(x as tf.Tensor4D, d as tf.Tensor4D, 1, 'valid')),
      }),
      { a: float(3, 2), b: float(3, 4), x: float(1, 4, 4, 2), f: float(3, 3, 2, 5), d: float(3, 3, 2, 1) },
    );
    expect(countMacs(recording)).toEqual({ encoder: 2 * 3 * 4, decoder: 2 * 3 * 4, aggregator: 16 * 5 * 18 + 4 * 2 * 9 });
  });

  it('counts nothing else', () => {
    expect(countMacs(traceFunction(({ x }) => ({ y: tf.softmax(tf.mul(t(x), t(x))) }), { x: float(4, 4) }))).toEqual({});
  });

  it('counts fused attention as its two products', () => {
    const [batch, tokens, heads, width] = [2, 5, 3, 12];
    const run = ({ x }: NamedTensors): NamedTensors => ({ y: tf.engine().runKernel('MimAttention', { qkv: t(x) }, { tokens, heads }) as unknown as tf.Tensor });
    const recording = traceFunction(run, { x: float(batch * tokens, 3 * width) }, true);
    expect(countMacs(recording)).toEqual({ '': 2 * batch * tokens * tokens * width });
  });
});
