import { expect, it } from 'vitest';
import { neutralState, stateOfSample } from './sampler.js';

it('the state holds each sample’s numbers in a row', () => {
  const state = { version: 3, width: 2, values: Float32Array.of(1, 2, 3, 4, 5, 6) };
  expect([...stateOfSample(state, 0)]).toEqual([1, 2]);
  expect([...stateOfSample(state, 2)]).toEqual([5, 6]);
});

it('a neutral state tells no tokens apart, and samplers without a state get none', () => {
  const state = { width: () => 3, isDueBefore: () => false, fromAttention: (attention: Float32Array) => attention };
  expect(neutralState({ state }, { rows: 1, columns: 3 })).toEqual({ state: Float32Array.of(1, 1, 1) });
  expect(neutralState({}, { rows: 1, columns: 3 })).toEqual({});
});
