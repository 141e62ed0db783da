import type { RandomStream } from '@mimlab/core';
import type { PickContext, Picker } from './picker.js';
import { pickRandom } from './random.js';

/** Weights below it count as this much: a token of weight 0 would have no place in a weighted order. */
const LEAST_WEIGHT = 1e-6;

/**
 * A random order in which each next place goes to one of those left in proportion to its weight: weighted sampling
 * without replacement, by exponential waiting times -ln(u) / w, shortest first (the same order as u^(1/w), largest
 * first). One uniform draw for each place; equal weights give every order alike.
 */
export function weightedOrder(weights: ArrayLike<number>, random: RandomStream): Int32Array {
  const times = Float64Array.from(weights, (weight) => -Math.log(1 - random.uniform()) / Math.max(weight, LEAST_WEIGHT));
  return Int32Array.from({ length: times.length }, (_, place) => place).sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
}

/**
 * Retains attended tokens of whatever mask there is: the first of a weighted order of the masked tokens. Without
 * attention all weights are alike.
 */
export const pickAttended: Picker = (context: PickContext): Int32Array => {
  const { masked, keep, random, attention } = context;
  if (attention === undefined) return pickRandom(context);
  return weightedOrder(Float64Array.from(masked, (cell) => attention[cell] as number), random).slice(0, keep);
};
