import { resizeRelativeTable } from '@mimlab/nn';
import { describe, expect, it } from 'vitest';
import { expectClose } from './closeness.js';
import { describeGolden, loadGolden, tensorOf } from './golden-cases.js';

/** The official code works in double precision through another spline routine, and stores float32. */
const TOLERANCE = 2e-6;

describeGolden('relpos-resize', /\.safetensors$/, (files) => {
  describe.each(files)('$name', async (file) => {
    const golden = await loadGolden(file);
    const cases = Object.keys(golden.tensors).flatMap((name) => {
      const found = /^(swin|vit)\.[wg](\d+)_to_[wg](\d+)\.src$/.exec(name);
      return found === null ? [] : [{ name: name.slice(0, -'.src'.length), cls: found[1] === 'vit', from: Number(found[2]), to: Number(found[3]) }];
    });

    it('has tables to resize', () => {
      expect(cases.length).toBeGreaterThan(0);
    });

    it.each(cases)('$name: the same table', ({ name, cls, from, to }) => {
      const source = tensorOf(golden, `${name}.src`);
      const expected = tensorOf(golden, `${name}.dst`);
      const data = resizeRelativeTable(source.data as Float32Array, { rows: from, columns: from }, { rows: to, columns: to }, source.shape[1] as number, cls);
      expectClose(name, { shape: expected.shape, dtype: 'float32', data }, expected, TOLERANCE);
    });
  });
});
