import { randomStream } from '@mimlab/core';
import { createEngine } from '@mimlab/engine';
import type { Features } from '@mimlab/evaluate';
import { describe, expect, it } from 'vitest';
import { inverseFactor, whiten } from './whiten.js';

/** Rows of three numbers: two that vary together, strongly, and a faint one of its own. */
function skewed(count: number, seed: number): Features {
  const random = randomStream(seed, 'skewed');
  const values = new Float32Array(count * 3);
  for (let row = 0; row < count; row++) {
    const [common, own, faint] = [random.normal(), random.normal(), random.normal()];
    values.set([10 * common + 5, 10 * common + 3 * own, faint + 2], row * 3);
  }
  return { values, width: 3, count, labels: new Int32Array(count) };
}

function moments({ values, width, count }: Features): { readonly mean: number[]; readonly covariance: number[][] } {
  const column = (i: number): number[] => Array.from({ length: count }, (_, row) => values[row * width + i] as number);
  const average = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const mean = Array.from({ length: width }, (_, i) => average(column(i)));
  const covariance = mean.map((a, i) => mean.map((b, j) => average(column(i).map((value, row) => (value - a) * ((column(j)[row] as number) - b)))));
  return { mean, covariance };
}

describe('whitening', () => {
  it('centres features and takes away what their directions have in common', async () => {
    const engine = await createEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' });
    try {
      const { train, test } = await whiten(engine, { train: skewed(600, 1), test: skewed(7, 2) });
      const { mean, covariance } = moments(train);
      for (const value of mean) expect(Math.abs(value)).toBeLessThan(1e-4);
      for (const [i, row] of covariance.entries()) {
        for (const [j, value] of row.entries()) if (i !== j) expect(Math.abs(value)).toBeLessThan(0.2);
        expect(row[i]).toBeLessThanOrEqual(1);
      }
      expect(test.count).toBe(7);
      expect(test.values).toHaveLength(21);
    } finally {
      engine.dispose();
    }
  });

  it('undoes the factor of a covariance, shrunk towards equal variances', () => {
    const inverse = inverseFactor(Float64Array.of(4, 0, 0, 9), 2);
    expect([...inverse].map((value) => value.toFixed(4))).toEqual([1 / Math.sqrt(4.65), 0, 0, 1 / Math.sqrt(9.65)].map((value) => value.toFixed(4)));
  });

  it('survives directions without any variance', () => {
    expect(inverseFactor(Float64Array.of(1, 0, 0, 0), 2).every(Number.isFinite)).toBe(true);
  });
});
