import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { StepDefinition } from '../contract.js';
import { countMacs } from './count-macs.js';
import { traceStep } from './trace-step.js';

const update = { rule: { kind: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-8 }, decay: 0, lrScale: 1 } as const;
const shapes = new Map([['w', [3, 2]], ['unused', [2]]]);
const x = { shape: [4, 3], dtype: 'float32' as const };

const definition: StepDefinition = {
  name: 'square',
  state: ['unused', 'w'],
  optimize: { updates: { w: update, unused: update } },
  compute: ({ w }, inputs) => {
    const y = tf.matMul(inputs['x'] as tf.Tensor, w as tf.Tensor);
    return { loss: tf.sum(tf.square(y)) as tf.Scalar, metrics: { top: tf.max(y) as tf.Scalar }, outputs: { y } };
  },
};

describe('traceStep', () => {
  it('gives loss, metrics, outputs and the gradient of each parameter that the loss depends on', () => {
    const { outputs, inputs } = traceStep(definition, shapes, { x });
    expect(Object.keys(inputs)).toEqual(['state/unused', 'state/w', 'input/x']);
    expect(Object.keys(outputs).sort()).toEqual(['grad/w', 'loss', 'metric/top', 'output/y']);
    expect(outputs['grad/w']?.shape).toEqual([3, 2]);
  });

  it('marks what belongs to the backward pass, so that costs count the forward pass alone', () => {
    const recording = traceStep(definition, shapes, { x });
    expect(recording.nodes.filter(({ kernel }) => kernel === 'BatchMatMul').map(({ pass }) => pass)).toContain('backward');
    expect(countMacs(recording)).toEqual({ '': 4 * 3 * 2 });
  });

  it('refuses an optimizing step without a loss and a loss that is no scalar', () => {
    expect(() => traceStep({ ...definition, compute: () => ({}) }, shapes, { x })).toThrow('gives no loss');
    const vector: StepDefinition = { ...definition, compute: ({ w }) => ({ loss: w as tf.Scalar }) };
    expect(() => traceStep(vector, shapes, { x })).toThrow("'loss' has shape [3, 2], expected a scalar");
  });

  it('says which inputs there were when the step breaks over a missing one', () => {
    expect(() => traceStep(definition, shapes, { other: x })).toThrow(expect.objectContaining({ name: 'EngineError', place: 'square', remedy: 'Inputs given: other [4, 3].' }));
  });
});
