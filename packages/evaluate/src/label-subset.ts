import { ConfigError, DataError, randomStream } from '@mimlab/core';
import type { Features } from './features.js';

/**
 * Indices of `n` random samples of each class, ascending: a function of its arguments. With one seed and
 * draw a smaller subset is part of a larger one.
 * @param labels classes from 0 on
 * @param draw tells repeated choices apart
 * @throws DataError if a class has fewer than `n` samples
 */
export function perClass(labels: Int32Array, n: number, seed: number, draw = 0): Int32Array {
  const take = (count: number, label: number): number => {
    if (count < n) throw new DataError(`class ${label} has ${count} samples, ${n} are asked for`, { place: 'labels a class', remedy: 'Ask for fewer.' });
    return n;
  };
  return chosenOfClasses(labels, take, seed, draw);
}

/** The first few of each class in a random order of its own. @param take how many of a class that has so many samples */
function chosenOfClasses(labels: Int32Array, take: (count: number, label: number) => number, seed: number, draw: number): Int32Array {
  const members = new Map<number, number[]>();
  labels.forEach((label, index) => {
    const found = members.get(label);
    if (found === undefined) members.set(label, [index]);
    else found.push(index);
  });
  const chosen = [...members].flatMap(([label, indices]) => {
    const order = randomStream(seed, 'label-subset', draw, label).permutation(indices.length);
    return [...order.subarray(0, take(indices.length, label))].map((at) => indices[at] as number);
  });
  return Int32Array.from(chosen).sort();
}

/** How many labels may be used: all, so many of each class, or a share of each class (above 0, up to 1). */
export type LabelBudget = 'all' | { readonly perClass: number } | { readonly share: number };

/** Reads `all`, `1%`, `12.5%` or `N` (labels a class). @throws ConfigError */
export function parseLabelBudget(text: string): LabelBudget {
  if (text === 'all') return 'all';
  const [, number = '', percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.trim()) ?? [];
  const value = Number(number);
  if (percent === '%' && value > 0 && value <= 100) return { share: value / 100 };
  if (percent === '' && Number.isInteger(value) && value >= 1) return { perClass: value };
  throw new ConfigError(`'${text}' is no number of labels`, { place: 'labels', remedy: `Give a share as '1%', labels a class as '10', or 'all'.` });
}

/**
 * Samples whose labels may be used, ascending: stratified, at least one of every class, a function of labels, budget and
 * seed. A smaller budget's samples are among those of a larger one.
 * @throws DataError if a class has fewer samples than are asked for
 */
export function labelledSamples(labels: Int32Array, budget: LabelBudget, seed: number): Int32Array {
  if (budget === 'all') return Int32Array.from(labels, (_, index) => index);
  if ('perClass' in budget) return perClass(labels, budget.perClass, seed);
  return chosenOfClasses(labels, (count) => Math.max(1, Math.round(budget.share * count)), seed, 0);
}

/** The features of some samples, in the order given. */
export function selectFeatures({ values, width, labels }: Features, indices: Int32Array): Features {
  const chosen = new Float32Array(indices.length * width);
  indices.forEach((index, row) => {
    chosen.set(values.subarray(index * width, (index + 1) * width), row * width);
  });
  return { values: chosen, width, count: indices.length, labels: Int32Array.from(indices, (index) => labels[index] as number) };
}
