import { ConfigError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { sincosPositions } from './sincos.js';

describe('sine-cosine positions', () => {
  it('encode the column in the first half and the row in the second, sine before cosine', () => {
    const table = sincosPositions(4, { rows: 2, columns: 2 }, { cls: false });
    const [s, c] = [Math.fround(Math.sin(1)), Math.fround(Math.cos(1))];
    expect([...table]).toEqual([0, 1, 0, 1, s, c, 0, 1, 0, 1, s, c, s, c, s, c]);
  });

  it('exchange the halves in the layout of mmpretrain', () => {
    const grid = { rows: 2, columns: 3 };
    const [ours, theirs] = [sincosPositions(8, grid, { cls: false }), sincosPositions(8, grid, { cls: false, layout: 'mmpretrain' })];
    for (let cell = 0; cell < 6; cell++) {
      expect([...theirs.slice(8 * cell, 8 * cell + 4)]).toEqual([...ours.slice(8 * cell + 4, 8 * cell + 8)]);
      expect([...theirs.slice(8 * cell + 4, 8 * cell + 8)]).toEqual([...ours.slice(8 * cell, 8 * cell + 4)]);
    }
  });

  it('list all sines of falling frequency before all cosines', () => {
    const table = sincosPositions(8, { rows: 1, columns: 2 }, { cls: false });
    expect([...table.slice(8, 12)]).toEqual([Math.sin(1), Math.sin(0.01), Math.cos(1), Math.cos(0.01)].map(Math.fround));
  });

  it('give the class token a row of zeros in front', () => {
    const grid = { rows: 3, columns: 2 };
    const table = sincosPositions(4, grid, { cls: true });
    expect([...table.slice(0, 4)]).toEqual([0, 0, 0, 0]);
    expect([...table.slice(4)]).toEqual([...sincosPositions(4, grid, { cls: false })]);
  });

  it('need a width divisible by 4', () => {
    expect(() => sincosPositions(6, { rows: 2, columns: 2 }, { cls: true })).toThrow(ConfigError);
  });
});
