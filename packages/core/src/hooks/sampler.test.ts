import { expect, it } from 'vitest';
import { stateOfSample } from './sampler.js';

it('the state holds each sample’s numbers in a row', () => {
  const state = { version: 3, width: 2, values: Float32Array.of(1, 2, 3, 4, 5, 6) };
  expect([...stateOfSample(state, 0)]).toEqual([1, 2]);
  expect([...stateOfSample(state, 2)]).toEqual([5, 6]);
});
