import { describe, expect, it } from 'vitest';
import { attendedCells, coarsestGrid, sparseSwinStages, visibleCells, type SparseStagesOptions } from './stages.js';

// 4 x 4 patches, units of 2 x 2.
const options: SparseStagesOptions = { image: { height: 8, width: 8, channels: 1 }, patch: { height: 2, width: 2 }, width: 4, depths: [2, 1], heads: [1, 1], window: 2, mlpRatio: 2 };
const small = sparseSwinStages(options);
const deep: SparseStagesOptions = { ...options, image: { height: 32, width: 64, channels: 1 }, depths: [1, 1, 1, 1], heads: [1, 1, 1, 1] };

describe('the stages of a sparse Swin', () => {
  it('cut units of the last stage into ever fewer tokens', () => {
    expect(sparseSwinStages(deep).map(({ side, inside }) => [side, inside.length])).toEqual([[8, 64], [4, 16], [2, 4], [1, 1]]);
    expect(coarsestGrid(small)).toEqual({ rows: 2, columns: 2 });
  });

  it('may have windows that do not tile their grids', () => {
    expect(sparseSwinStages({ ...options, window: 3 })[0]!.grid).toEqual({ rows: 4, columns: 4 });
  });
});

describe('the visible tokens of a stage', () => {
  it('stand unit by unit, the four of a merged cell column by column', () => {
    expect([...visibleCells(Int32Array.of(0, 3), small[0]!)]).toEqual([0, 4, 1, 5, 10, 14, 11, 15]);
    expect([...visibleCells(Int32Array.of(0, 3), small[1]!)]).toEqual([0, 3]);
  });

  it('stand row by row where merging joins them so', () => {
    const [first] = sparseSwinStages({ ...options, joining: 'rows' });
    expect([...visibleCells(Int32Array.of(0, 3), first!)]).toEqual([0, 1, 4, 5, 10, 11, 14, 15]);
  });

  it.each(['columns', 'rows'] as const)('merge into those of the next stage without changing places, joined by %s', (joining) => {
    const stages = sparseSwinStages({ ...deep, joining });
    const units = Int32Array.of(3, 11, 20);
    for (let s = 0; s < 3; s++) {
      const fine = visibleCells(units, stages[s]!);
      const coarse = visibleCells(units, stages[s + 1]!);
      const { columns } = stages[s]!.grid;
      coarse.forEach((cell, i) => {
        const top = 2 * Math.floor(cell / (columns / 2)) * columns;
        const left = 2 * (cell % (columns / 2));
        const [right, below] = [top + left + 1, top + columns + left];
        expect([...fine.slice(4 * i, 4 * i + 4)]).toEqual([top + left, ...(joining === 'rows' ? [right, below] : [below, right]), below + 1]);
      });
    }
  });

  it('attend from their own cells', () => {
    const units = Int32Array.of(1, 2);
    for (const stage of small) expect(attendedCells(units, stage)).toEqual(visibleCells(units, stage));
  });
});

describe('misplaced tokens', () => {
  const stages = sparseSwinStages({ ...deep, image: { height: 16, width: 16, channels: 1 }, depths: [1, 1, 1], heads: [1, 1, 1], joining: 'rows', misplaced: true });
  // Units of 4 x 4 patches on 8 x 8 patches; 2 x 2 tokens on a 4 x 4 grid behind the first merging.
  const units = Int32Array.of(1, 2);

  it('keep their cells before the first merging', () => {
    expect(attendedCells(units, stages[0]!)).toEqual(visibleCells(units, stages[0]!));
  });

  it('take their number, unit by unit, for that of a cell in raster order', () => {
    expect([...visibleCells(units, stages[1]!)]).toEqual([2, 3, 6, 7, 8, 9, 12, 13]);
    expect([...attendedCells(units, stages[1]!)]).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('count inside a unit in raster order, however merging joins', () => {
    const columns = sparseSwinStages({ ...deep, image: { height: 16, width: 16, channels: 1 }, depths: [1, 1, 1], heads: [1, 1, 1], misplaced: true });
    expect([...attendedCells(Int32Array.of(1), columns[1]!)]).toEqual([4, 6, 5, 7]);
  });

  it('are right again where units are single tokens', () => {
    expect(attendedCells(units, stages[2]!)).toEqual(units);
  });
});
