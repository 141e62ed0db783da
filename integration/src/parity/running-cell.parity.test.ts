import { runningCell, withheldCells } from '@mimlab/pr-mim';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadJson } from './golden-cases.js';

const ones = z.array(z.int().min(0).max(1));
/** Of the official generator: every equally likely phase and every frame; 1 is withheld from the decoder. Long videos come without maps. */
const RunningCellFile = z.object({
  cases: z
    .array(
      z.object({
        frames: z.int(),
        height: z.int(),
        width: z.int(),
        mask_ratio: z.number(),
        kept_per_frame: z.int(),
        cells: z.array(z.array(ones)),
        maps: z.array(z.array(ones)).optional(),
      }),
    )
    .min(1),
});

describeGolden('running-cell', /\.json$/, (files) => {
  describe.each(files)('$name', async (file) => {
    const { cases } = RunningCellFile.parse(await loadJson(file.path));
    it.each(cases)('$frames frames of $height x $width at $mask_ratio', ({ frames, height, width, mask_ratio, kept_per_frame, cells, maps }) => {
      const places = Math.floor(4 * mask_ratio);
      const numbered = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
      const own = numbered(cells.length).map((phase) => numbered(frames).map((frame) => runningCell(places, phase, frame)));
      expect(own).toEqual(cells);
      const laid = own.map((phase) => phase.map((cell) => [...withheldCells({ rows: height, columns: width }, cell)]));
      if (maps !== undefined) expect(laid).toEqual(maps);
      for (const map of laid.flat()) expect(map.filter((withheld) => withheld === 0)).toHaveLength(kept_per_frame);
    });
  });
});
