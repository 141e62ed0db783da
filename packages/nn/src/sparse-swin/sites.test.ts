import { describe, expect, it } from 'vitest';
import { groupsAt, siteOf, sparseSites } from './sites.js';
import { sparseSwinStages } from './stages.js';

// 4 x 4 patches, units of 2 x 2.
const small = sparseSwinStages({ image: { height: 8, width: 8, channels: 1 }, patch: { height: 2, width: 2 }, width: 4, depths: [2, 1], heads: [1, 1], window: 2, mlpRatio: 2 });
const official = sparseSwinStages({ image: { height: 224, width: 224, channels: 3 }, patch: { height: 4, width: 4 }, width: 128, depths: [2, 2, 18, 2], heads: [4, 8, 16, 32], window: 7, mlpRatio: 4 });

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
});

describe('groups at a site', () => {
  it('are one sequence of all tokens where these are few', () => {
    const site = sparseSites(small, 2)[0]!;
    expect(groupsAt(site, Int32Array.of(0, 3), 'released')).toMatchObject({ size: 8, groups: [[0, 1, 2, 3, 4, 5, 6, 7]] });
  });

  it('never part a window', () => {
    const site = sparseSites(official, 12)[1]!;
    const { groups, windows } = groupsAt(site, Int32Array.from({ length: 12 }, (_, i) => 4 * i), 'compact');
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

  it('follow the places that tokens attend from', () => {
    const mixed = sparseSwinStages({ image: { height: 16, width: 16, channels: 1 }, patch: { height: 2, width: 2 }, width: 4, depths: [1, 1, 1], heads: [1, 1, 1], window: 2, mlpRatio: 2, misplaced: true });
    const site = sparseSites(mixed, 3)[1]!;
    // Tokens 0 to 3 of unit 0 take the cells 0, 2, 1, 3: two lie in the first window of the 4 x 4 grid, two in the second.
    expect([...groupsAt(site, Int32Array.of(0, 1, 2), 'compact').windows].slice(0, 4)).toEqual([0, 1, 0, 1]);
  });
});
