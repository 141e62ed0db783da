import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { dropPath, dropPathRates, stochasticDepth } from './drop-path.js';

onEveryBackend('drop path', () => {
  it('drops whole images and scales up the others', () => {
    const branch = tf.tensor2d([[1, 2], [3, 4], [5, 6], [7, 8]]);
    expectValues(dropPath(branch, tf.tensor1d([0.1, 0.3]), 0.2), [0, 0, 0, 0, 6.25, 7.5, 8.75, 10]);
  });

  it('leaves everything as it is without draws, or at a rate of 0', () => {
    const branch = tf.tensor2d([[1, 2]]);
    expect(dropPath(branch, undefined, 0.5)).toBe(branch);
    expect(dropPath(branch, tf.tensor1d([0]), 0)).toBe(branch);
  });

  it('sends gradients through what stays', () => {
    expectGradients((x) => dropPath(x as tf.Tensor2D, tf.tensor1d([0, 0.9]), 0.5), [scattered([4, 2])]);
  });
});

it('drop path rates rise linearly from 0', () => {
  expect(dropPathRates(0.3, 4).map((rate) => Number(rate.toFixed(6)))).toEqual([0, 0.1, 0.2, 0.3]);
  expect(dropPathRates(0.3, 1)).toEqual([0]);
});

onEveryBackend('stochastic depth', () => {
  const depth = stochasticDepth('drops', 0.5, 2);
  const branchOf = (): tf.Tensor2D => tf.tensor2d([[1], [2]]);
  const drawsOf = (): tf.Tensor2D => tf.tensor2d([[0, 0], [0, 0], [0.9, 0.1], [0.1, 0.9]]);

  it('asks for two draws an image and block, and for none where nothing is dropped', () => {
    expect(depth.randomInputs(3)).toEqual({ drops: { shape: [4, 3], distribution: 'uniform' } });
    expect(stochasticDepth('drops', 0, 2).randomInputs(3)).toEqual({});
  });

  it('drops each branch of each block by draws of its own', () => {
    const kept = (block: number, which: 'attention' | 'mlp') => depth.rule({ training: true, random: { drops: drawsOf() } }, block)(branchOf(), which);
    expectValues(kept(0, 'attention'), [1, 2]);
    expectValues(kept(1, 'attention'), [2, 0]);
    expectValues(kept(1, 'mlp'), [0, 4]);
  });

  it('drops nothing outside training', () => {
    const branch = branchOf();
    expect(depth.rule({ training: false, random: { drops: drawsOf() } }, 1)(branch, 'mlp')).toBe(branch);
  });
});
