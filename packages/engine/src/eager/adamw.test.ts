import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AdamwRule, ParamUpdate } from '../contract.js';
import { applyAdamw } from './adamw.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const rule = { kind: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-8 } as const;

/** Runs updates on one number, and the same in doubles by the formula of the paper. */
function follow(start: number, gradients: readonly number[], update: ParamUpdate & { readonly rule: AdamwRule }, lr: number): { tensor: number; exact: number } {
  const { beta1, beta2, eps } = update.rule;
  let [p, m, v] = [start, 0, 0];
  const slots = { param: tf.variable(tf.scalar(start)), m: tf.variable(tf.scalar(0)), v: tf.variable(tf.scalar(0)) };
  gradients.forEach((g, index) => {
    const t = index + 1;
    applyAdamw(slots, tf.scalar(g), update, lr, t);
    p *= 1 - lr * update.lrScale * update.decay;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    p -= ((lr * update.lrScale) / (1 - beta1 ** t)) * (m / (Math.sqrt(v) / Math.sqrt(1 - beta2 ** t) + eps));
  });
  const tensor = slots.param.dataSync()[0] as number;
  tf.dispose([slots.param, slots.m, slots.v]);
  return { tensor, exact: p };
}

describe('applyAdamw', () => {
  it('moves by the learning rate against the sign of the first gradient', () => {
    const { tensor } = follow(1, [123], { rule, decay: 0, lrScale: 1 }, 0.25);
    expect(tensor).toBeCloseTo(0.75, 6);
  });

  it('decays by the current rate before it moves, and with no gradient only decays', () => {
    const { tensor } = follow(8, [0, 0], { rule, decay: 0.5, lrScale: 1 }, 0.5);
    expect(tensor).toBeCloseTo(8 * 0.75 * 0.75, 5);
  });

  it('scales rate and decay together', () => {
    const scaled = follow(2, [1, -3], { rule, decay: 0.1, lrScale: 0.5 }, 0.2);
    const plain = follow(2, [1, -3], { rule, decay: 0.1, lrScale: 1 }, 0.1);
    expect(scaled.tensor).toBe(plain.tensor);
  });

  it('adds eps outside the corrected root', () => {
    const coarse = { ...rule, eps: 1 };
    // First step: m corrected is g, root of v corrected is |g|, so it moves by g / (|g| + eps).
    expect(follow(0, [3], { rule: coarse, decay: 0, lrScale: 1 }, 1).tensor).toBeCloseTo(-3 / 4, 6);
  });

  it('changes nothing at a learning rate of zero, whatever the gradient', () => {
    expect(follow(0.3, [5], { rule, decay: 0.05, lrScale: 1 }, 0).tensor).toBe(Math.fround(0.3));
  });

  it('follows the formula over any run of gradients', () => {
    const number = fc.float({ min: -4, max: 4, noNaN: true });
    const betas = fc.record({ beta1: fc.constantFrom(0, 0.5, 0.9), beta2: fc.constantFrom(0.5, 0.95, 0.999) });
    fc.assert(
      fc.property(number, fc.array(fc.oneof(fc.constant(0), fc.float({ min: 0.125, max: 4, noNaN: true })), { minLength: 1, maxLength: 6 }), betas, (start, gradients, given) => {
        const { tensor, exact } = follow(start, gradients, { rule: { ...rule, ...given, eps: 1e-4 }, decay: 0.05, lrScale: 0.5 }, 0.1);
        expect(Math.abs(tensor - exact)).toBeLessThan(1e-5 * (1 + Math.abs(exact)));
      }),
      { numRuns: 40 },
    );
  });
});
