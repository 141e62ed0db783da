import { planGeometry } from '@mimlab/core';
import { selectFurthest } from '@mimlab/pr-mim';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadJson } from './golden-cases.js';

const SelectionCase = z.object({
  id: z.string(),
  grid: z.tuple([z.int(), z.int()]),
  masked: z.array(z.int()),
  visible: z.array(z.int()).optional(),
  first: z.int(),
  keep: z.int(),
  retainedPos: z.array(z.int()),
  retained: z.array(z.int()),
  gainSq: z.array(z.int().nullable()),
  coverSq: z.int(),
  minSepSq: z.int().nullable(),
});
const SelectionFile = z.object({
  format: z.literal('furthest-sampling/1'),
  tokenIndex: z.literal('row*W+col'),
  mode: z.enum(['masked-only', 'masked+visible']),
  cases: z.array(SelectionCase).min(1),
});

/** Distances come as roots; their squares are whole numbers. */
const squareOf = (distance: number): number => Math.round(distance * distance);

describeGolden('furthest-sampling', /\.json$/, (files) => {
  describe.each(files)('$name', async (file) => {
    const { mode, cases } = SelectionFile.parse(await loadJson(file.path));
    it.each(cases)('$id', ({ grid: [rows, columns], masked, visible = [], first, keep, ...expected }) => {
      const cells = Int32Array.from(masked);
      const anchors = mode === 'masked+visible' ? { anchors: Int32Array.from(visible) } : {};
      const { positions, gains } = selectFurthest({ columns, masked: cells, keep, first, ...anchors });
      expect([...positions]).toEqual(expected.retainedPos);
      expect([...gains]).toEqual(expected.gainSq.map((gain) => gain ?? Infinity));
      const retained = positions.map((position) => masked[position] as number);
      expect([...retained]).toEqual(expected.retained);
      const thrown = cells.filter((cell) => !retained.includes(cell));
      const { cover, separation } = planGeometry({ grid: { rows, columns }, visible: Int32Array.from(visible), retained, thrown });
      expect(squareOf(cover)).toBe(expected.coverSq);
      expect(separation === Infinity ? null : squareOf(separation)).toBe(expected.minSepSq);
    });
  });
});
