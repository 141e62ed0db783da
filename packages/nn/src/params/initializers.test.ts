import { randomStream } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { constant, fixed, normal, ones, torchUniform, truncatedNormal, uniform, xavierUniform, zeros } from './initializers.js';

const draw = (init: typeof zeros, shape: number[], label = 'test') => init(shape, randomStream(label));
const extent = (values: Float32Array): number => values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
const deviation = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

describe('initialisers', () => {
  it('fill with a constant', () => {
    expect([...draw(zeros, [2]), ...draw(ones, [2]), ...draw(constant(3), [1, 2])]).toEqual([0, 0, 1, 1, 3, 3]);
  });

  it('copy fixed values', () => {
    const values = Float32Array.of(1, 2);
    const first = draw(fixed(values), [2]);
    first[0] = 9;
    expect([...draw(fixed(values), [2])]).toEqual([1, 2]);
  });

  it('draw uniformly up to the bound on both sides', () => {
    const values = draw(uniform(0.5), [10000]);
    expect(extent(values)).toBeLessThanOrEqual(0.5);
    expect(extent(values)).toBeGreaterThan(0.499);
    expect(deviation(values)).toBeCloseTo(0.5 / Math.sqrt(3), 2);
  });

  it('draw normally without cutting', () => {
    const values = draw(normal(0.02), [20000]);
    expect(deviation(values)).toBeCloseTo(0.02, 3);
    expect(extent(values)).toBeGreaterThan(0.06);
  });

  it('cut a truncated normal at two sigma, not at +-2', () => {
    const values = draw(truncatedNormal(0.02), [20000]);
    expect(extent(values)).toBeLessThanOrEqual(0.04);
    expect(extent(values)).toBeGreaterThan(0.039);
    // The deviation of a standard normal cut at 2 is 0.8796.
    expect(deviation(values)).toBeCloseTo(0.02 * 0.8796, 3);
  });

  it('cut it at one sigma where asked to, which halves its deviation', () => {
    const values = draw(truncatedNormal(0.02, 1), [20000]);
    expect(extent(values)).toBeLessThanOrEqual(0.02);
    expect(deviation(values)).toBeCloseTo(0.0108, 3);
  });

  it('bound Xavier by inputs and outputs of the matrix, a fused qkv map counted as one', () => {
    const bound = Math.sqrt(6 / (4 * 24));
    const values = draw(xavierUniform, [24, 72]);
    expect(extent(values)).toBeLessThanOrEqual(bound);
    expect(extent(values)).toBeGreaterThan(0.99 * bound);
  });

  it("follow PyTorch's convolution default: 0.0361 for a patch of 16 x 16 x 3", () => {
    const values = draw(torchUniform(768), [5000]);
    expect(extent(values)).toBeLessThanOrEqual(0.03609);
    expect(extent(values)).toBeGreaterThan(0.036);
  });

  it('give the same values for the same stream, others for another', () => {
    expect(draw(normal(1), [4], 'a')).toEqual(draw(normal(1), [4], 'a'));
    expect(draw(normal(1), [4], 'a')).not.toEqual(draw(normal(1), [4], 'b'));
  });
});
