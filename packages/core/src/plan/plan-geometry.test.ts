import { expect, test } from 'vitest';
import { planGeometry } from './plan-geometry.js';

const grid = { rows: 3, columns: 7 };
const rest = (taken: readonly number[]): Int32Array => Int32Array.from({ length: 21 }, (_, cell) => cell).filter((cell) => !taken.includes(cell));

test('measures a plan with two known tokens at the left border', () => {
  const geometry = planGeometry({ grid, visible: Int32Array.of(7), retained: Int32Array.of(8), thrown: rest([7, 8]) });
  expect(geometry.maxDistance).toBeCloseTo(Math.hypot(1, 5), 12);
  expect(geometry.cover).toBeCloseTo(Math.hypot(1, 5), 12);
  expect(geometry.separation).toBe(Infinity);
  // Columns 0, 1 and 2 see a known token in 3 x 3, up to 3 in 5 x 5, up to 4 in 7 x 7.
  expect(geometry.isolated).toEqual({ 3: 12, 5: 9, 7: 6 });
  // Cells 0, 1, 14, 15 see both; 2, 9, 16 see one.
  expect(geometry.knownAround).toBeCloseTo((4 * 2 + 3) / 19, 12);
});

test('cover counts retained tokens only, distance all known ones', () => {
  const geometry = planGeometry({ grid: { rows: 1, columns: 5 }, visible: Int32Array.of(4), retained: Int32Array.of(0), thrown: Int32Array.of(1, 2, 3) });
  expect(geometry).toMatchObject({ cover: 3, maxDistance: 2, meanDistance: 4 / 3 });
  expect([...geometry.distances]).toEqual([1, 2, 1]);
});

test('separation is the smallest distance between two retained tokens', () => {
  expect(planGeometry({ grid, visible: new Int32Array(0), retained: Int32Array.of(0, 6, 16), thrown: rest([0, 6, 16]) }).separation).toBeCloseTo(Math.hypot(2, 2), 12);
});

test('a plan that throws nothing has nothing to measure', () => {
  const all = Int32Array.from({ length: 20 }, (_, cell) => cell + 1);
  expect(planGeometry({ grid, visible: Int32Array.of(0), retained: all, thrown: new Int32Array(0) })).toMatchObject({ meanDistance: 0, maxDistance: 0, cover: 0, knownAround: 0 });
});
