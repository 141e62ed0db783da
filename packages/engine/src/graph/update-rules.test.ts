import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParamUpdate, StepDefinition } from '../contract.js';
import { updateGroups, updateScalars } from './update-rules.js';

const rule = { kind: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-8 } as const;
const stepWith = (updates: Record<string, ParamUpdate>): StepDefinition => ({ name: 's', state: Object.keys(updates), compute: () => ({}), optimize: { updates } });

describe('update groups', () => {
  it('put parameters together that share every scalar', () => {
    const { groupOf, groups } = updateGroups(
      stepWith({
        a: { rule, decay: 0.05, lrScale: 1 },
        b: { rule, decay: 0, lrScale: 1 },
        c: { rule, decay: 0.05, lrScale: 1 },
        d: { rule, decay: 0.05, lrScale: 0.5 },
        e: { rule: { ...rule, beta2: 0.999 }, decay: 0.05, lrScale: 1 },
      }),
    );
    expect([...groupOf.values()]).toEqual([0, 1, 0, 2, 3]);
    expect(groups).toHaveLength(4);
  });

  it('are none for a step that does not optimize', () => {
    expect(updateGroups({ name: 's', state: [], compute: () => ({}) }).groups).toEqual([]);
  });
});

describe('update scalars', () => {
  it('scale the rate and the decay of each group', () => {
    const groups = updateGroups(stepWith({ a: { rule, decay: 0.05, lrScale: 1 }, b: { rule, decay: 0.1, lrScale: 0.5 } }));
    const scalars = updateScalars(groups, { lr: 0.2, update: 3 });
    expect(scalars).toHaveLength(6);
    expect(scalars[2]).toBeCloseTo(0.2 * 0.05, 8);
    expect(scalars[5]).toBeCloseTo(0.2 * 0.5 * 0.1, 8);
    expect(scalars[3]).toBeCloseTo((scalars[0] as number) / 2, 8);
  });

  it('make the device formula equal to AdamW with bias corrections', () => {
    const positive = fc.double({ min: 1e-6, max: 10, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), positive, positive, (update, m, v) => {
        const groups = updateGroups(stepWith({ a: { rule, decay: 0, lrScale: 1 } }));
        const [alpha, epsilon] = updateScalars(groups, { lr: 0.01, update });
        const plain = ((0.01 / (1 - 0.9 ** update)) * m) / (Math.sqrt(v) / Math.sqrt(1 - 0.95 ** update) + 1e-8);
        const device = ((alpha as number) * m) / (Math.sqrt(v) + (epsilon as number));
        expect(Math.abs(device - plain)).toBeLessThanOrEqual(2e-6 * plain);
      }),
    );
  });
});
