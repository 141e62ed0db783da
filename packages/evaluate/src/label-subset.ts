import { DataError, randomStream } from '@mimlab/core';
import type { Features } from './features.js';

/**
 * Indices of `n` random samples of each class, ascending: a function of its arguments. With one seed and
 * draw a smaller subset is part of a larger one.
 * @param labels classes from 0 on
 * @param draw tells repeated choices apart
 * @throws DataError if a class has fewer than `n` samples
 */
export function perClass(labels: Int32Array, n: number, seed: number, draw = 0): Int32Array {
  const members = new Map<number, number[]>();
  labels.forEach((label, index) => {
    const found = members.get(label);
    if (found === undefined) members.set(label, [index]);
    else found.push(index);
  });
  const chosen = [...members].flatMap(([label, indices]) => {
    if (indices.length < n) throw new DataError(`class ${label} has ${indices.length} samples, ${n} are asked for`, { place: 'labels a class', remedy: 'Ask for fewer.' });
    const order = randomStream(seed, 'label-subset', draw, label).permutation(indices.length);
    return [...order.subarray(0, n)].map((at) => indices[at] as number);
  });
  return Int32Array.from(chosen).sort();
}

/** The features of some samples, in the order given. */
export function selectFeatures({ values, width, labels }: Features, indices: Int32Array): Features {
  const chosen = new Float32Array(indices.length * width);
  indices.forEach((index, row) => {
    chosen.set(values.subarray(index * width, (index + 1) * width), row * width);
  });
  return { values: chosen, width, count: indices.length, labels: Int32Array.from(indices, (index) => labels[index] as number) };
}
