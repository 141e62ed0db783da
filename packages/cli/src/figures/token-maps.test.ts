import type { TokenPlan } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isolatedCells } from './token-maps.js';

/** A plan of a grid from one role a cell. */
function planOf(columns: number, roles: readonly ('visible' | 'retained' | 'thrown')[]): TokenPlan {
  const cells = (role: string): Int32Array => Int32Array.from(roles.flatMap((each, cell) => (each === role ? [cell] : [])));
  return { grid: { rows: roles.length / columns, columns }, visible: cells('visible'), retained: cells('retained'), thrown: cells('thrown') };
}

const plans = fc
  .record({ rows: fc.integer({ min: 1, max: 5 }), columns: fc.integer({ min: 1, max: 5 }) })
  .chain(({ rows, columns }) => fc.array(fc.constantFrom('visible' as const, 'retained' as const, 'thrown' as const), { minLength: rows * columns, maxLength: rows * columns }).map((roles) => planOf(columns, roles)));

describe('isolated tokens', () => {
  it('are those thrown ones that have no known one within a step, diagonal ones included', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const { columns } = plan.grid;
        const known = [...plan.visible, ...plan.retained];
        const steps = (a: number, b: number): number => Math.max(Math.abs(Math.floor(a / columns) - Math.floor(b / columns)), Math.abs((a % columns) - (b % columns)));
        expect(isolatedCells(plan)).toEqual([...plan.thrown].filter((cell) => known.every((other) => steps(cell, other) > 1)));
      }),
    );
  });

  it('are all where nothing is known, and none where nothing is thrown', () => {
    expect(isolatedCells(planOf(2, ['thrown', 'thrown', 'thrown', 'thrown']))).toEqual([0, 1, 2, 3]);
    expect(isolatedCells(planOf(2, ['visible', 'retained']))).toEqual([]);
  });
});
