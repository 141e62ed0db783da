import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, it } from 'vitest';
import { onEveryBackend } from '../../test-support/backends.js';
import { expectGradients, expectValues, scattered } from '../../test-support/gradient-check.js';
import { geluOf } from '../../test-support/reference.js';
import { gelu } from './gelu.js';

onEveryBackend('gelu', () => {
  it('is x times the normal distribution function, in the exact form', () => {
    const x = [-3, -1, -0.1, 0, 0.5, 1, 2.5];
    expectValues(gelu(tf.tensor1d(x)), x.map(geluOf), 6);
    expectValues(gelu(tf.tensor1d([1, -1])), [0.8413447, -0.1586553], 6);
  });

  it('has a gradient', () => {
    expectGradients((x) => gelu(x), [scattered([2, 5])]);
  });
});

describe('gelu on a backend with a kernel of its own', () => {
  afterEach(() => {
    tf.unregisterKernel('MimGelu', 'cpu');
  });

  it('uses that kernel', async () => {
    await tf.setBackend('cpu');
    tf.registerKernel({ kernelName: 'MimGelu', backendName: 'cpu', kernelFunc: ({ inputs }) => tf.mul(inputs['x'] as tf.Tensor, 100) });
    expectValues(gelu(tf.tensor1d([1, 2])), [100, 200]);
  });
});
