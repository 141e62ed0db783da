import { describe, expect, it } from 'vitest';
import type { TracedNode } from '../trace/recording.js';
import type { Ref } from './graph-builder.js';
import { bf16Type, returnsBf16 } from './precision.js';

const half: Ref = { name: 'h', type: 'bfloat16' };
const full: Ref = { name: 'f', type: 'float32' };
let id = 0;
const value = (...shape: number[]) => ({ id: id++, shape, dtype: 'float32' as const });
const node = (kernel: string, inputs: number[][], output: number[]): TracedNode => ({
  kernel,
  inputs: inputs.map((shape) => value(...shape)),
  attrs: {},
  outputs: [value(...output)],
  part: '',
  pass: 'forward',
});

describe('types under bf16', () => {
  it('run matrix products in bfloat16, whatever comes in', () => {
    expect(bf16Type(node('BatchMatMul', [[4, 3], [3, 2]], [4, 2]), [full, full])).toBe('bfloat16');
  });

  it('keep row sums of norms in float32', () => {
    expect(bf16Type(node('BatchMatMul', [[4, 3], [3, 1]], [4, 1]), [half, full])).toBe('float32');
  });

  it('add a bfloat16 branch to a float32 residual in float32', () => {
    expect(bf16Type(node('Add', [[4, 3], [4, 3]], [4, 3]), [full, half])).toBe('float32');
  });

  it('let operands of full size decide: a float32 bias or scalar does not lift an activation', () => {
    expect(bf16Type(node('Add', [[4, 3], [3]], [4, 3]), [half, full])).toBe('bfloat16');
    expect(bf16Type(node('Multiply', [[4, 3], []], [4, 3]), [half, full])).toBe('bfloat16');
    expect(bf16Type(node('Multiply', [[4, 1], [1, 3]], [4, 3]), [half, full])).toBe('float32');
  });

  it('move elements as they are', () => {
    expect(bf16Type(node('Transpose', [[4, 3]], [3, 4]), [half])).toBe('bfloat16');
    expect(bf16Type(node('Concat', [[4, 3], [4, 3]], [4, 6]), [half, full])).toBe('float32');
    expect(bf16Type(node('MimGelu', [[4, 3]], [4, 3]), [half])).toBe('bfloat16');
  });

  it('reduce, normalise and take softmax in float32; softmax gives back what it got', () => {
    expect(bf16Type(node('Sum', [[4, 3]], [3]), [half])).toBe('float32');
    expect(bf16Type(node('MimLayerNorm', [[4, 3], [3], [3]], [4, 3]), [half, full, full])).toBe('float32');
    const softmax = node('Softmax', [[4, 3]], [4, 3]);
    expect(bf16Type(softmax, [half])).toBe('float32');
    expect(returnsBf16(softmax, [half])).toBe(true);
    expect(returnsBf16(softmax, [full])).toBe(false);
  });
});
