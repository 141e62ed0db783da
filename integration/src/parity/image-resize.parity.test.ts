import type { HostTensor } from '@mimlab/core';
import { resize } from '@mimlab/data';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadGolden, tensorOf } from './golden-cases.js';

/** Further keys describe the case for people. */
const Cases = z.object({
  cases: z
    .array(
      z.object({
        index: z.int(),
        filter: z.enum(['bicubic', 'bilinear']),
        crop_top_left_height_width: z.tuple([z.int(), z.int(), z.int(), z.int()]).nullable(),
        out_h: z.int(),
        out_w: z.int(),
      }),
    )
    .min(1),
});

function imageOf({ shape, data }: HostTensor): { height: number; width: number; channels: number; pixels: Uint8Array } {
  const [height, width, channels] = z.tuple([z.int(), z.int(), z.int()]).parse(shape);
  return { height, width, channels, pixels: Uint8Array.from(data) };
}

describeGolden('image-resize', /\.safetensors$/, (files) => {
  describe.each(files)('$name', async (file) => {
    const golden = await loadGolden(file);
    const { cases } = Cases.parse(golden.json);

    it.each(cases)('case $index: $filter to $out_h x $out_w, bit for bit', ({ index, filter, crop_top_left_height_width: crop, out_h: height, out_w: width }) => {
      const source = imageOf(tensorOf(golden, `c${index}.in`));
      const expected = imageOf(tensorOf(golden, `c${index}.out`));
      expect([expected.height, expected.width]).toEqual([height, width]);
      const box = crop === null ? {} : { box: { top: crop[0], left: crop[1], height: crop[2], width: crop[3] } };
      expect(resize(source, { ...box, height, width, filter })).toEqual(expected.pixels);
    });
  });
});
