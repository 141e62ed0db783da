import { describe, expect, it } from 'vitest';
import { swinStages } from '../swin/stages.js';
import { groupsAt, siteOf, sparseSites, coarsestGrid, visibleCells } from './sites.js';

// 4 x 4 patches, units of 2 x 2.
const small = swinStages({ grid: { rows: 4, columns: 4 }, width: 4, depths: [2, 1], heads: [1, 1], window: 2, mlpRatio: 2 });
const official = swinStages({ grid: { rows: 56, columns: 56 }, width: 128, depths: [2, 2, 18, 2], heads: [4, 8, 16, 32], window: 7, mlpRatio: 4 });

describe('the sites of a sparse Swin', () => {
  it('are plain and shifted blocks of every stage that is larger than a window', () => {
    expect(sparseSites(official, 12).map(({ name, window, shift, blocks, tokens, grouped }) => [name, window, shift, blocks, tokens, grouped])).toEqual([
      ['stage0.plain', 7, 0, 1, 768, true],
      ['stage0.shifted', 7, 3, 1, 768, true],
      ['stage1.plain', 7, 0, 1, 192, true],
      ['stage1.shifted', 7, 3, 1, 192, true],
      ['stage2.plain', 7, 0, 9, 48, false],
      ['stage2.shifted', 7, 3, 9, 48, false],
      ['stage3.plain', 7, 0, 2, 12, false],
    ]);
  });

  it('belong to even and odd blocks', () => {
    const sites = sparseSites(official, 12);
    expect([0, 1, 2].map((j) => siteOf(sites, official[2]!, j).name)).toEqual(['stage2.plain', 'stage2.shifted', 'stage2.plain']);
    expect(siteOf(sites, official[3]!, 1).name).toBe('stage3.plain');
  });

  it('lie on the grid whose cells are units of the mask', () => {
    expect(coarsestGrid(official)).toEqual({ rows: 7, columns: 7 });
  });
});

describe('the visible tokens of a stage', () => {
  it('stand unit by unit, the four of a merged cell column by column', () => {
    expect([...visibleCells(Int32Array.of(0, 3), small[0]!, small)]).toEqual([0, 4, 1, 5, 10, 14, 11, 15]);
    expect([...visibleCells(Int32Array.of(0, 3), small[1]!, small)]).toEqual([0, 3]);
  });

  it('merge into those of the next stage without changing places', () => {
    const units = Int32Array.of(3, 11, 40);
    for (let s = 0; s < 3; s++) {
      const fine = visibleCells(units, official[s]!, official);
      const coarse = visibleCells(units, official[s + 1]!, official);
      const { columns } = official[s]!.grid;
      coarse.forEach((cell, i) => {
        const top = 2 * Math.floor(cell / (columns / 2)) * columns;
        const left = 2 * (cell % (columns / 2));
        expect([...fine.slice(4 * i, 4 * i + 4)]).toEqual([top + left, top + columns + left, top + left + 1, top + columns + left + 1]);
      });
    }
  });
});

describe('groups at a site', () => {
  it('are one sequence of all tokens where these are few', () => {
    const site = sparseSites(small, 2)[0]!;
    expect(groupsAt(site, small, Int32Array.of(0, 3), 'released')).toMatchObject({ size: 8, groups: [[0, 1, 2, 3, 4, 5, 6, 7]] });
  });

  it('never part a window', () => {
    const site = sparseSites(official, 12)[1]!;
    const { groups, windows } = groupsAt(site, official, Int32Array.from({ length: 12 }, (_, i) => 4 * i), 'compact');
    const groupOf = new Map<number, number>();
    groups.forEach((group, g) => {
      for (const token of group) {
        const window = windows[token] as number;
        expect(groupOf.get(window) ?? g).toBe(g);
        groupOf.set(window, g);
      }
    });
    expect(groups.flat().length).toBe(768);
  });
});
