import type { Picker } from './picker.js';

/** Uniform choice without replacement. */
export const pickRandom: Picker = ({ masked, keep, random }) => random.permutation(masked.length).subarray(0, keep);
