import type { Grid } from '@mimlab/core';
import { interpolatePositions, sincosPositions, type PositionLayout } from '@mimlab/nn';
import { describe, expect, it } from 'vitest';
import { expectClose, expectNear } from './closeness.js';
import { describeGolden, loadGolden, tensorOf } from './golden-cases.js';

/** Official tables are computed in float64 and cast, mmpretrain's in float32 (up to 7e-7 off). Sines are at most 1, so this is absolute. */
const TABLE: Record<PositionLayout, number> = { mae: 1e-7, mmpretrain: 1e-6 };
/** PyTorch places the samples in float32; relative to the largest entry. */
const INTERPOLATED = 1e-5;

/** `8` or `8x12`. */
function gridOf(text: string): Grid {
  const [rows, columns = rows] = text.split('x').map(Number) as [number, number?];
  return { rows, columns };
}

describeGolden('pos-embed', /\.safetensors$/, (cases) => {
  describe.each(cases)('$name', async (file) => {
    const golden = await loadGolden(file);

    for (const name of Object.keys(golden.tensors)) {
      const table = /^(mae|mmpretrain)\.d(\d+)\.g([\dx]+)$/.exec(name);
      const resized = /^(interp\.d(\d+)\.g([\dx]+)_to_([\dx]+))\.out$/.exec(name);
      if (table !== null) {
        const [, layout, width, grid] = table as unknown as [string, PositionLayout, string, string];
        it(`makes the table ${name}`, () => {
          const reference = tensorOf(golden, name);
          const data = sincosPositions(Number(width), gridOf(grid), { cls: true, layout });
          expect(data).toHaveLength(reference.data.length);
          expectNear(name, { ...reference, data }, reference, TABLE[layout]);
        });
      } else if (resized !== null) {
        const [, stem, width, from, to] = resized as unknown as [string, string, string, string, string];
        it(`resizes ${stem}`, () => {
          const input = tensorOf(golden, `${stem}.in`);
          const reference = tensorOf(golden, name);
          const data = interpolatePositions(input.data as Float32Array, { width: Number(width), from: gridOf(from), to: gridOf(to), front: 1 });
          expect(data).toHaveLength(reference.data.length);
          expectClose(name, { ...reference, data }, reference, INTERPOLATED);
        });
      } else {
        it(`knows what ${name} is`, () => {
          expect(name).toMatch(/^interp\.d\d+\.g[\dx]+_to_[\dx]+\.in$/);
        });
      }
    }
  });
});
