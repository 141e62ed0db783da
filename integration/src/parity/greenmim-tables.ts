import { blockWindow, groupTokens, windowPlaces, type SparseSite, type SwinStage } from '@mimlab/nn';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { tensorOf, type Golden } from './golden-cases.js';
import type { GreenRun } from './greenmim-case.js';

const Grouping = z.array(
  z.object({
    stage: z.int(),
    kind: z.enum(['plain', 'shift']),
    mode: z.enum(['grouping', 'masking']),
    window: z.int(),
    shift: z.int(),
    tokens: z.int(),
    group_size: z.int(),
    groups: z.int(),
  }),
);

const APART = -100;

/** What the released code prepares for a site, from its own list of coordinates (raster order, padding slots holding token 0). */
function released(site: Pick<SparseSite, 'grid' | 'window' | 'shift' | 'grouped'>, cells: Int32Array) {
  const { windows, positions } = windowPlaces(cells, site);
  const { size, groups } = site.grouped ? groupTokens(windows, site.window ** 2, 'released') : { size: cells.length, groups: [[...cells.keys()]] };
  const slots = groups.flatMap((group) => [...group, ...Array<number>(size - group.length).fill(-1)]);
  const mask: number[] = [];
  const index: number[] = [];
  const span = 2 * site.window - 1;
  slots.forEach((query, slot) => {
    const first = slot - (slot % size);
    for (const key of slots.slice(first, first + size)) {
      const together = query >= 0 && key >= 0 && windows[query] === windows[key];
      const [i, j] = [positions[query] ?? 0, positions[key] ?? 0];
      const down = Math.floor(i / site.window) - Math.floor(j / site.window) + site.window - 1;
      mask.push(together ? 0 : APART);
      index.push(together ? down * span + (i % site.window) - (j % site.window) + site.window - 1 : 0);
    }
  });
  const places = new Array<number>(cells.length);
  slots.forEach((token, slot) => {
    if (token >= 0) places[token] = slot;
  });
  return { size, groups: groups.length, slots: slots.map((token) => Math.max(token, 0)), places, mask, index };
}

/** Groups, masks and relative positions of every stage, against those that the released code prepared. */
export function describeTables(golden: Golden, { stages, objective }: GreenRun): void {
  const { visible } = objective.sampler.counts(objective.grid);
  const prepared = Grouping.parse(JSON.parse(golden.metadata['grouping'] ?? '[]'));

  it.each(prepared)('groups stage $stage, $kind, as the released code does', ({ stage, kind, mode, window, shift, tokens, group_size, groups }) => {
    // Released stages prepare shifted windows also where no block uses them.
    const { grid, window: configured } = stages[stage] as SwinStage;
    const block = blockWindow(grid, configured, kind === 'plain' ? 0 : 1);
    const own = visible * 4 ** (stages.length - 1 - stage);
    const site = { grid, window: block.side, shift: block.shift, grouped: own > 2 * block.side ** 2 };
    expect([site.window, site.shift, own, site.grouped]).toEqual([window, shift, tokens, mode === 'grouping']);
    const stored = (name: string): number[] => [...tensorOf(golden, `mid.layer${stage}.${kind}.${name}`).data];
    const coordinates = stored('coords');
    const cells = Int32Array.from({ length: tokens }, (_, token) => (coordinates[2 * token] as number) * site.grid.columns + (coordinates[2 * token + 1] as number));
    const made = released(site, cells);
    expect([made.size, made.groups]).toEqual([group_size, groups]);
    expect(made.mask).toEqual(stored('attn_mask'));
    expect(made.index).toEqual(stored('rel_pos_idx'));
    if (mode === 'masking') return;
    expect(made.slots).toEqual(stored('idx_shuffle'));
    expect(made.places).toEqual(stored('idx_unshuffle'));
  });
}
