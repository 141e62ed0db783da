import { asBlock, part, type NamedTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Precision, StepDefinition, StepResult } from '../../contract.js';
import { recordedBlocks } from '../../trace/recorded-blocks.js';
import { traceStep } from '../../trace/trace-step.js';
import { stepMemory } from '../step-memory.js';

const t = (tensors: NamedTensors, name: string): tf.Tensor2D => tensors[name] as tf.Tensor2D;
const sum = (x: tf.Tensor): tf.Scalar => tf.sum(x) as tf.Scalar;
const [ROWS, IN, OUT] = [4, 6, 8];

const step = (compute: (state: NamedTensors, inputs: NamedTensors) => StepResult): StepDefinition => ({
  name: 'small',
  state: ['w'],
  compute,
  optimize: { updates: { w: { rule: { kind: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-8 }, decay: 0, lrScale: 1 } } },
});
const state = { w: [IN, OUT] };
const inputs = { x: { shape: [ROWS, IN], dtype: 'float32' as const } };
const count = (loss: (state: NamedTensors, inputs: NamedTensors) => tf.Scalar, precision: Precision = 'fp32') =>
  stepMemory(step((s, i) => ({ loss: loss(s, i) })), state, inputs, { precision, fused: false }).kept;

describe('keptMemory', () => {
  it('counts what the backward pass reads of the forward pass, by the part that made it', () => {
    const kept = count((s, i) => {
      const product = part('encoder', () => tf.matMul(t(i, 'x'), t(s, 'w')));
      return part('loss', () => sum(tf.square(tf.exp(product))));
    });
    // The result of exp serves its own gradient and that of the square; inputs and weights are there anyway.
    expect(kept).toEqual({ parts: { loss: 4 * ROWS * OUT }, outsideBlocks: 4 * ROWS * OUT, copies: 0 });
  });

  it('counts two shapes of one buffer once', () => {
    const kept = count((s, i) => {
      const exp = part('encoder', () => tf.exp(tf.matMul(t(i, 'x'), t(s, 'w'))));
      return sum(tf.add(sum(tf.square(exp)), sum(tf.square(tf.reshape(exp, [-1])))));
    });
    expect(kept.parts).toEqual({ encoder: 4 * ROWS * OUT });
  });

  it('counts copies of rows for themselves', () => {
    const two = count((s, i) => sum(tf.square(tf.concat([tf.matMul(t(i, 'x'), t(s, 'w')), tf.zeros([2, OUT])], 0))));
    expect(two.parts).toEqual({ '': 4 * (ROWS + 2) * OUT });
  });

  it('counts bfloat16 in two bytes, and copies of weights apart', () => {
    const kept = count((s, i) => {
      const hidden = part('encoder', () => tf.relu(tf.matMul(t(i, 'x'), t(s, 'w'))));
      return sum(tf.matMul(hidden, t(s, 'w'), false, true));
    }, 'bf16');
    // Relu's gradient reads the product, the second product its result; both of bfloat16, as is the weight they met.
    expect(kept.parts['encoder']).toBe(2 * 2 * ROWS * OUT);
    // Besides the weight, the input was cast for the product whose gradient reads it again.
    expect(kept.copies).toBe(2 * IN * OUT + 2 * ROWS * IN);
  });
});

describe('recordedBlocks', () => {
  const blocks = (compute: StepDefinition['compute']) =>
    recordedBlocks(traceStep(step(compute), new Map(Object.entries(state)), inputs));

  it('tells tokens, width and attention pairs of the blocks that are differentiated', () => {
    const found = blocks((s, i) =>
      part('decoder', () => {
        const x = tf.matMul(t(i, 'x'), t(s, 'w'));
        const attended = asBlock(() => tf.add(x, tf.matMul(tf.softmax(tf.matMul(x, x, false, true)), x)));
        return { loss: sum(attended) };
      }),
    );
    expect(found).toEqual([{ part: 'decoder', tokens: ROWS, width: OUT, pairs: ROWS * ROWS, scaled: false }]);
  });

  it('leaves out blocks without parameters to learn, and steps without blocks have none', () => {
    expect(blocks((s, i) => ({ loss: sum(tf.add(sum(asBlock(() => tf.square(t(i, 'x')))), sum(tf.square(t(s, 'w'))))) }))).toEqual([]);
  });
});
