import { cellsOf, randomStream } from '@mimlab/core';
import { planOfUnits, unitGrid, unitMasking } from '@mimlab/nn';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadJson } from './golden-cases.js';

const File = z.object({
  cases: z
    .array(
      z.object({
        input_size: z.int(),
        mask_patch_size: z.int(),
        model_patch_size: z.int(),
        mask_ratio: z.number(),
        token_count: z.int(),
        mask_count: z.int(),
        permutation: z.array(z.int()),
        mask_rows: z.array(z.string()),
      }),
    )
    .min(1),
});

describeGolden('simmim-mask-generator', /\.json$/, (files) => {
  describe.each(files)('$name', async ({ path }) => {
    const { cases } = File.parse(await loadJson(path));
    describe.each(cases)('$input_size px, units of $mask_patch_size, tokens of $model_patch_size, ratio $mask_ratio', (given) => {
      const side = given.input_size / given.model_patch_size;
      const grid = { rows: side, columns: side };
      const unit = { rows: given.mask_patch_size / given.model_patch_size, columns: given.mask_patch_size / given.model_patch_size };
      const sampler = unitMasking({ unit, maskRatio: given.mask_ratio });

      it('counts units and masked units as the official generator', () => {
        expect(cellsOf(unitGrid(grid, unit))).toBe(given.token_count);
        expect(sampler.counts(grid).retained).toBe(given.mask_count * cellsOf(unit));
      });

      it('masks the same tokens for the same order of units', () => {
        const { visible, retained } = planOfUnits(grid, unit, Int32Array.from(given.permutation), given.mask_count);
        const expected = [...given.mask_rows.join('')].map(Number);
        expect(expected.map((_, cell) => (retained.includes(cell) ? 1 : 0))).toEqual(expected);
        expect([...visible]).toEqual(expected.flatMap((masked, cell) => (masked === 0 ? [cell] : [])));
      });

      it('samples whole units', () => {
        const plan = sampler.sample({
          grid,
          streams: { mask: randomStream('mask'), sample: randomStream('sample') },
          sampleId: 0,
          epoch: 0,
          crop: { top: 0, left: 0, height: 1, width: 1, sourceHeight: 1, sourceWidth: 1, flip: false },
        });
        const across = side / unit.columns;
        const units = new Set([...plan.retained].map((cell) => Math.floor(Math.floor(cell / side) / unit.rows) * across + Math.floor((cell % side) / unit.columns)));
        expect(units.size).toBe(given.mask_count);
      });
    });
  });
});
