import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../errors.js';
import { anyPlan, planBatches } from './plan.test-support.js';
import { isPlanInput, planSpecs, planTensors, ROLE, stackPlans } from './plan-batch.js';
import { countsOf } from './token-plan.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const small = { grid: { rows: 1, columns: 4 }, visible: Int32Array.of(2), retained: Int32Array.of(3, 0), thrown: Int32Array.of(1) };
const arrays = (inputs: ReturnType<typeof stackPlans>): Record<string, number[]> => Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, Array.from(data)]));

describe('stackPlans', () => {
  it('numbers rows by image: grid rows b * N + cell, known rows b * S + place', () => {
    expect(arrays(stackPlans([small, { ...small, visible: Int32Array.of(1), retained: Int32Array.of(0, 2), thrown: Int32Array.of(3) }]))).toEqual({
      'plan.visible': [2, 1],
      'plan.retained': [3, 0, 0, 2],
      'plan.visibleRows': [2, 5],
      'plan.retainedRows': [3, 0, 4, 6],
      'plan.knownRows': [2, 3, 0, 5, 4, 6],
      // Row 6 is the zero row behind the 2 * 3 known tokens.
      'plan.gridRows': [2, 6, 0, 1, 4, 3, 5, 6],
      'plan.roles': [1, 2, 0, 1, 1, 0, 1, 2],
    });
  });

  it('gives inverse permutations: known to grid and back', () => {
    fc.assert(
      fc.property(planBatches, (plans) => {
        const inputs = arrays(stackPlans(plans));
        const known = inputs['plan.knownRows']!;
        const grid = inputs['plan.gridRows']!;
        known.forEach((cell, row) => expect(grid[cell]).toBe(row));
        grid.forEach((row, cell) => expect(row === known.length || known[row] === cell).toBe(true));
        expect(grid.filter((row) => row === known.length)).toHaveLength(plans.length * plans[0]!.thrown.length);
      }),
    );
  });

  it('lists the known rows as visible rows, then retained rows, image by image', () => {
    fc.assert(
      fc.property(planBatches, (plans) => {
        const inputs = arrays(stackPlans(plans));
        const { visible: V, retained: K } = countsOf(plans[0]!);
        const expected = plans.flatMap((_, b) => [...inputs['plan.visibleRows']!.slice(b * V, (b + 1) * V), ...inputs['plan.retainedRows']!.slice(b * K, (b + 1) * K)]);
        expect(inputs['plan.knownRows']).toEqual(expected);
      }),
    );
  });

  it('has exactly the inputs that planSpecs announces, every role as often as counted', () => {
    fc.assert(
      fc.property(planBatches, (plans) => {
        const inputs = stackPlans(plans);
        const counts = countsOf(plans[0]!);
        const specs = planSpecs(plans.length, plans[0]!.grid, counts);
        expect(Object.fromEntries(Object.entries(inputs).map(([name, { shape, dtype }]) => [name, { shape, dtype }]))).toEqual(specs);
        expect(Object.keys(inputs).every(isPlanInput)).toBe(true);
        for (const role of ['visible', 'retained', 'thrown'] as const) {
          expect(Array.from(inputs['plan.roles']!.data).filter((found) => found === ROLE[role])).toHaveLength(plans.length * counts[role]);
        }
      }),
    );
  });

  it('stacks what else a method needs, or keeps one copy for a whole batch', () => {
    const plan = { ...small, aux: { groups: Int32Array.of(7, 8) } };
    expect(stackPlans([plan, plan])['plan.aux.groups']).toMatchObject({ shape: [2, 2], data: Int32Array.of(7, 8, 7, 8) });
    expect(stackPlans([plan, plan], { shared: true })['plan.aux.groups']).toMatchObject({ shape: [2], data: Int32Array.of(7, 8) });
  });

  it('refuses plans that differ in counts or in what they carry', () => {
    expect(() => stackPlans([anyPlan(2, 2, 1, 1, 0), anyPlan(2, 2, 2, 1, 0)])).toThrow(/image 1 has 2\/1\/1 .* the batch has 1\/1\/2/);
    expect(() => stackPlans([{ ...small, aux: { a: Int32Array.of(1) } }, small])).toThrow(/image 1 has another length of 'a'/);
    expect(() => stackPlans([small, { ...small, aux: { a: Int32Array.of(1) } }])).toThrow(/plan\.aux: image 1 has 'a', image 0 has not/);
    expect(() => stackPlans([])).toThrow(DataError);
  });
});

describe('planTensors', () => {
  it('gathers the inputs of a step, reads the counts off their shapes and names the extras', () => {
    tf.tidy(() => {
      const inputs = stackPlans([{ ...small, aux: { groups: Int32Array.of(7) } }]);
      const tensors = Object.fromEntries(Object.entries(inputs).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], 'int32')]));
      const plan = planTensors(tensors, small.grid);
      expect(plan).toMatchObject({ batch: 1, counts: { visible: 1, retained: 2, thrown: 1 } });
      expect(Array.from(plan.knownRows.dataSync())).toEqual([2, 3, 0]);
      expect(Object.keys(plan.aux)).toEqual(['groups']);
    });
  });

  it('names the input that is missing', () => expect(() => planTensors({}, small.grid)).toThrow(/no input 'plan\.visible'/));
});

describe('plans with repeated cells', () => {
  const grid = { rows: 1, columns: 4 };
  // Two mask tokens each; the second image spends one of them on a cell that it sees.
  const plans = [
    { grid, visible: Int32Array.of(2), retained: Int32Array.of(3, 0), thrown: Int32Array.of(1), repeated: new Int32Array(0) },
    { grid, visible: Int32Array.of(1), retained: Int32Array.of(2), thrown: Int32Array.of(0, 3), repeated: Int32Array.of(1) },
  ];

  it('list them behind the retained tokens, while the grid keeps the visible ones', () => {
    expect(arrays(stackPlans(plans))).toEqual({
      'plan.visible': [2, 1],
      'plan.retained': [3, 0, 2, 1],
      'plan.visibleRows': [2, 5],
      'plan.retainedRows': [3, 0, 6, 5],
      'plan.knownRows': [2, 3, 0, 5, 6, 5],
      'plan.gridRows': [2, 6, 0, 1, 6, 3, 4, 6],
      'plan.roles': [1, 2, 0, 1, 2, 0, 1, 2],
      // The mask token in sixth place stands for no cell: row 8, behind the 2 * 4 cells.
      'plan.knownInverse': [2, 3, 0, 5, 6, 8],
    });
  });

  it('have the inputs that their counts announce, and give the counts back', () => {
    const inputs = stackPlans(plans);
    expect(Object.fromEntries(Object.entries(inputs).map(([name, { shape, dtype }]) => [name, { shape, dtype }]))).toEqual(planSpecs(2, grid, countsOf(plans[0]!)));
    tf.tidy(() => {
      const tensors = Object.fromEntries(Object.entries(inputs).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], 'int32')]));
      const plan = planTensors(tensors, grid);
      expect(plan.counts).toEqual(countsOf(plans[1]!));
      expect(plan.knownInverse?.shape).toEqual([6]);
    });
  });

  it('do not mix with plans without', () => expect(() => stackPlans([plans[0]!, { ...small, retained: Int32Array.of(3, 0) }])).toThrow(DataError));
});
