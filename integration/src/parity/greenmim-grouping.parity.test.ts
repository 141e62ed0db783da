import { groupWindows } from '@mimlab/nn';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadJson } from './golden-cases.js';

const GroupingFile = z.object({
  cases: z
    .array(
      z.object({
        window: z.int(),
        occupancy: z.array(z.int()).min(1),
        group_size: z.int(),
        groups: z.array(z.array(z.int())),
        fill: z.array(z.int()),
        note: z.string().default(''),
      }),
    )
    .min(1),
});

describeGolden('greenmim-grouping', /\.json$/, (files) => {
  describe.each(files)('$name', async (file) => {
    const { cases } = GroupingFile.parse(await loadJson(file.path));
    it.each(cases.map((one, index) => ({ ...one, index })))('case $index: $note', ({ window, occupancy, group_size, groups, fill, note }) => {
      // Some cases fix the capacity by themselves, and say so.
      if (!note.includes('explicit capacity')) expect(Math.min(window * window, Math.max(...occupancy))).toBe(group_size);
      const found = groupWindows(group_size, occupancy);
      expect(found).toEqual(groups);
      expect(found.map((group) => group.reduce((sum, index) => sum + (occupancy[index] as number), 0))).toEqual(fill);
    });
  });
});
