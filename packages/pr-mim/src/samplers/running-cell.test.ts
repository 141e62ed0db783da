import { ConfigError, randomStream } from '@mimlab/core';
import { describe, expect, test } from 'vitest';
import { runningCell, runningCellPicker, withheldCells, withheldPlaces } from './running-cell.js';

describe('the cell', () => {
  test('at one half is two diagonals and two rows', () => {
    expect([0, 1, 2, 3].map((phase) => runningCell(2, phase))).toEqual([
      [1, 0, 0, 1],
      [0, 0, 1, 1],
      [0, 1, 1, 0],
      [1, 1, 0, 0],
    ]);
  });

  test.each([1, 2, 3])('withholds %d places, every one of them in as many phases', (places) => {
    const cells = [0, 1, 2, 3].map((phase) => runningCell(places, phase));
    for (const cell of cells) expect(cell.reduce((sum, one) => sum + one, 0)).toBe(places);
    for (const place of [0, 1, 2, 3]) expect(cells.reduce((sum, cell) => sum + (cell[place] as number), 0)).toBe(places);
  });

  test('runs: a frame later it is what the next phase starts with', () => {
    for (const frame of [0, 1, 5]) expect(runningCell(1, 2, frame + 1)).toEqual(runningCell(1, 3, frame));
  });

  test('is laid over the grid and cut off where a side is odd', () => {
    expect([...withheldCells({ rows: 3, columns: 3 }, [1, 0, 0, 0])]).toEqual([1, 0, 1, 0, 0, 0, 1, 0, 1]);
  });

  test('takes ratios down to quarters, and none that withholds nothing or all', () => {
    expect([0.25, 0.3, 0.5, 0.65, 0.75, 0.99].map((ratio) => withheldPlaces(ratio, 'here'))).toEqual([1, 1, 2, 2, 3, 3]);
    for (const ratio of [0.1, 1]) expect(() => withheldPlaces(ratio, 'here')).toThrow(ConfigError);
    expect(() => withheldPlaces(0.2, 'pr-mim.throw')).toThrow(/pr-mim\.throw: a ratio of 0\.2 withholds 0 of the 4 places/);
  });
});

describe('the picker', () => {
  const masked = Int32Array.from({ length: 12 }, (_, i) => 15 - i);
  const pick = (seed: number, keep: number): Int32Array =>
    runningCellPicker(0.5)({ grid: { rows: 4, columns: 4 }, visible: Int32Array.of(0, 1, 2, 3), masked, keep, random: randomStream(seed) });
  /** Which masked cells the picks stand for. */
  const cells = (picked: Int32Array): number[] => [...picked].map((position) => masked[position] as number);

  test('gives exactly as many distinct positions as asked for', () => {
    for (let keep = 1; keep <= 12; keep++) {
      expect(new Set(pick(keep, keep)).size).toBe(keep);
      expect(pick(keep, keep)).toHaveLength(keep);
    }
  });

  test('retains what the cell keeps before what it withholds', () => {
    for (let seed = 0; seed < 20; seed++) {
      const patterns = [0, 1, 2, 3].map((phase) => withheldCells({ rows: 4, columns: 4 }, runningCell(2, phase)));
      // Six masked tokens are kept by every phase: two in each of three rows, or all of alternate rows.
      const some = cells(pick(seed, 4));
      const fitting = patterns.filter((withheld) => some.every((cell) => withheld[cell] === 0));
      expect(fitting.length).toBeGreaterThan(0);
      const many = cells(pick(seed, 10));
      expect(patterns.some((withheld) => masked.every((cell) => withheld[cell] === 1 || many.includes(cell)))).toBe(true);
    }
  });

  test('is a function of its stream', () => {
    expect(pick(3, 6)).toEqual(pick(3, 6));
    expect(new Set([0, 1, 2, 3, 4, 5].map((seed) => [...pick(seed, 6)].sort().join())).size).toBeGreaterThan(1);
  });
});
