import { ConfigError, randomStream, type HostTensor } from '@mimlab/core';
import { createEagerEngine, type Engine } from '@mimlab/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Features } from './features.js';
import { principalDirections, projectFeatures } from './principal-directions.js';

let engine: Engine;
beforeAll(async () => {
  engine = await createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' });
});
afterAll(() => {
  engine.dispose();
});

/** Rows with deviations 9, 3 and 0.1 along the axes of a turned plane and its normal; the strongest leans on all numbers. */
function stretched(count: number, seed: number): Features {
  const random = randomStream(seed, 'stretched');
  const axes = [[2 / 3, 2 / 3, 1 / 3], [1 / 3, -2 / 3, 2 / 3], [2 / 3, -1 / 3, -2 / 3]] as const;
  const values = new Float32Array(count * 3);
  for (let row = 0; row < count; row++) {
    const along = [9 * random.normal(), 3 * random.normal(), 0.1 * random.normal()];
    for (let i = 0; i < 3; i++) values[row * 3 + i] = axes.reduce((sum, axis, a) => sum + (along[a] as number) * (axis[i] as number), 0);
  }
  return { values, width: 3, count, labels: Int32Array.from({ length: count }, (_, row) => row) };
}

const columns = ({ shape, data }: HostTensor): number[][] =>
  Array.from({ length: shape[1] as number }, (_, j) => Array.from({ length: shape[0] as number }, (_, i) => data[i * (shape[1] as number) + j] as number));
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);

describe('principal directions', () => {
  it('are orthonormal', async () => {
    const found = columns(await principalDirections(engine, stretched(300, 1), 3, 0));
    found.forEach((a, i) => found.forEach((b, j) => expect(dot(a, b)).toBeCloseTo(i === j ? 1 : 0, 5)));
  });

  it('begin with the direction of the greatest strength', async () => {
    const [first = []] = columns(await principalDirections(engine, stretched(300, 1), 1, 0));
    expect(Math.abs(dot(first, [2 / 3, 2 / 3, 1 / 3]))).toBeGreaterThan(0.999);
  });

  it('span what is strong and leave out what is weak', async () => {
    for (const direction of columns(await principalDirections(engine, stretched(300, 1), 2, 0))) expect(Math.abs(dot(direction, [2 / 3, -1 / 3, -2 / 3]))).toBeLessThan(0.01);
  });

  it('see a mean that all rows share', async () => {
    const rows: Features = { values: Float32Array.of(5, 0.1, 5, -0.1, 5, 0.1), width: 2, count: 3, labels: new Int32Array(3) };
    const [first = []] = columns(await principalDirections(engine, rows, 1, 0));
    expect(Math.abs(first[0] as number)).toBeGreaterThan(0.999);
  });

  it('are a function of features and seed, over more rows than one block', async () => {
    const features = stretched(4500, 2);
    expect(await principalDirections(engine, features, 2, 7)).toEqual(await principalDirections(engine, features, 2, 7));
  });

  it('are zero beyond the rank of the features', async () => {
    const rows: Features = { values: Float32Array.of(1, 2, 2, 4), width: 2, count: 2, labels: new Int32Array(2) };
    const lengths = columns(await principalDirections(engine, rows, 2, 0)).map((column) => Math.hypot(...column));
    expect(lengths[0]).toBeCloseTo(1, 5);
    expect(lengths.every(Number.isFinite)).toBe(true);
  });

  it.each([0, 4, 1.5])('cannot be %s of three', async (count) => {
    await expect(principalDirections(engine, stretched(5, 1), count, 0)).rejects.toThrow(ConfigError);
  });
});

describe('projected features', () => {
  it('keep all cosines when all directions are kept', async () => {
    const features = stretched(20, 3);
    const turned = await projectFeatures(engine, features, await principalDirections(engine, features, 3, 0));
    const row = ({ values, width }: Features, at: number): number[] => [...values.subarray(at * width, (at + 1) * width)];
    for (let at = 1; at < 20; at++) expect(dot(row(turned, 0), row(turned, at))).toBeCloseTo(dot(row(features, 0), row(features, at)), 2);
  });

  it('keep labels and order, with a short last block', async () => {
    const features = stretched(2003, 4);
    const first: HostTensor = { shape: [3, 1], dtype: 'float32', data: Float32Array.of(0, 1, 0) };
    const projected = await projectFeatures(engine, features, first);
    expect(projected).toMatchObject({ width: 1, count: 2003, labels: features.labels });
    expect(projected.values).toEqual(features.values.filter((_, at) => at % 3 === 1));
  });
});
