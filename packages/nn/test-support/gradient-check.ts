import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import { expect } from 'vitest';

/** Numbers that look random and are the same every time. */
export const scattered = (shape: number[], seed = 1): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin((i + 1) * 12.9898 * seed + seed)),
    shape,
  );
};

/**
 * Compares the gradients of a weighted sum of `f` with central differences, for every element of every input.
 * @param tolerance relative to the largest entry of each gradient
 */
export function expectGradients(f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[], tolerance = 1e-2): void {
  const weights = scattered(f(...inputs).shape, 3);
  const objective = (...xs: Tensor[]): tf.Scalar => tf.sum(tf.mul(f(...xs), weights));
  const analytic = tf.grads(objective)([...inputs]);
  const step = 2 ** -7;
  inputs.forEach((input, which) => {
    const values = input.dataSync();
    const at = (index: number, delta: number): number => {
      const moved = Float32Array.from(values);
      moved[index] = (moved[index] as number) + delta;
      return tf.tidy(() => objective(...inputs.map((other, i) => (i === which ? tf.tensor(moved, input.shape) : other))).dataSync()[0] as number);
    };
    const numeric = Array.from(values, (_, i) => (at(i, step) - at(i, -step)) / (2 * step));
    const found = [...(analytic[which] as Tensor).dataSync()];
    const largest = Math.max(...numeric.map(Math.abs), 1e-3);
    expect(analytic[which]?.shape, `shape of gradient ${which}`).toEqual(input.shape);
    numeric.forEach((value, i) => {
      expect(Math.abs(value - (found[i] as number)) / largest, `gradient ${which}, element ${i}: ${found[i]} against ${value}`).toBeLessThanOrEqual(tolerance);
    });
  });
}

/** Expects the values of a tensor, element by element. */
export function expectValues(tensor: Tensor, expected: ArrayLike<number>, digits = 5): void {
  const actual = tensor.dataSync();
  expect(actual).toHaveLength(expected.length);
  for (let i = 0; i < expected.length; i++) expect(actual[i], `element ${i}`).toBeCloseTo(expected[i] as number, digits);
}
