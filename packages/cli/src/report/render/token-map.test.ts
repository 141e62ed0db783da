import { expect, it } from 'vitest';
import { cellPath, coveredCells, rolePaths } from './token-map.js';

const plan = { grid: { rows: 2, columns: 3 }, visible: Int32Array.of(4, 0), retained: Int32Array.of(2, 3), thrown: Int32Array.of(1, 5) };

it('joins neighbours in a row, not over its end', () => {
  expect(cellPath(Int32Array.of(2, 1, 3), 3)).toBe('M1 0h2v1h-2zM0 1h1v1h-1z');
});

it('has a path for every role of a plan', () => {
  expect(rolePaths(plan)).toEqual({ visible: 'M0 0h1v1h-1zM1 1h1v1h-1z', retained: 'M2 0h1v1h-1zM0 1h1v1h-1z', thrown: 'M1 0h1v1h-1zM2 1h1v1h-1z' });
});

it('covers what the encoder does not see: retained and thrown cells', () => {
  expect(coveredCells(plan).markup).toContain('d="M1 0h2v1h-2zM0 1h1v1h-1zM2 1h1v1h-1z"');
});
