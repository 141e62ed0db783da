import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParamLayout } from '../params.js';
import { sizeOfShape, type HostTensor } from '../tensors.js';
import { fileShape, fromFileLayout, toFileLayout } from './layout.js';

/** 0, 1, 2 ... in the given shape. */
const counted = (shape: readonly number[]): HostTensor => ({ shape, dtype: 'float32', data: Float32Array.from({ length: sizeOfShape(shape) }, (_, i) => i) });
const moved = (layout: ParamLayout, shape: readonly number[]): unknown[] => {
  const { shape: sides, data } = toFileLayout(layout, counted(shape));
  return [sides, Array.from(data)];
};

describe('toFileLayout', () => {
  it('leaves `same` alone', () => expect(moved({ kind: 'same' }, [1, 2, 2])).toEqual([[1, 2, 2], [0, 1, 2, 3]]));
  it('transposes a linear map', () => expect(moved({ kind: 'linear' }, [2, 3])).toEqual([[3, 2], [0, 3, 1, 4, 2, 5]]));
  it('puts channels before the pixels of a patch', () => {
    // Memory rows are pixel 0 red, pixel 0 green, pixel 1 red, pixel 1 green; one output.
    expect(moved({ kind: 'patch', patch: [1, 2], channels: 2 }, [4, 1])).toEqual([[1, 2, 1, 2], [0, 2, 1, 3]]);
  });
  it('puts outputs first in a convolution', () => expect(moved({ kind: 'conv' }, [1, 2, 1, 2])).toEqual([[2, 1, 1, 2], [0, 2, 1, 3]]));
  it('puts channels first in a depth-wise convolution', () => expect(moved({ kind: 'depthwise' }, [2, 1, 2, 1])).toEqual([[2, 1, 2, 1], [0, 2, 1, 3]]));
  it('puts outputs before the kernel in a transposed convolution', () => {
    // Memory columns are left pixel output 0, left pixel output 1, right pixel output 0, right pixel output 1.
    expect(moved({ kind: 'deconv', kernel: [1, 2] }, [1, 4])).toEqual([[1, 2, 1, 2], [0, 2, 1, 3]]);
  });
  it('keeps the element type', () => {
    expect(toFileLayout({ kind: 'linear' }, { shape: [1, 2], dtype: 'int32', data: Int32Array.of(1, 2) }).data).toEqual(Int32Array.of(1, 2));
  });
  it('transposes matrices larger than a tile, and not a multiple of one', () => {
    const { data } = toFileLayout({ kind: 'linear' }, counted([70, 33]));
    expect(Array.from(data)).toEqual(Array.from({ length: 33 * 70 }, (_, i) => (i % 70) * 33 + Math.floor(i / 70)));
  });
  it('refuses a shape the layout cannot have', () => {
    expect(() => toFileLayout({ kind: 'conv' }, counted([2, 3]))).toThrow(/shape \[2, 3\] cannot have the layout 'conv'/);
    expect(() => fileShape({ kind: 'patch', patch: [2, 2], channels: 3 }, [10, 4])).toThrow(/'patch'/);
    expect(() => fileShape({ kind: 'depthwise' }, [3, 3, 4, 2])).toThrow(/'depthwise'/);
    expect(() => fileShape({ kind: 'deconv', kernel: [2, 2] }, [3, 6])).toThrow(/'deconv'/);
  });
});

describe('fromFileLayout', () => {
  const side = fc.integer({ min: 1, max: 4 });
  const cases = fc.oneof(
    fc.array(side, { maxLength: 3 }).map((shape): [ParamLayout, number[]] => [{ kind: 'same' }, shape]),
    fc.tuple(side, side).map((shape): [ParamLayout, number[]] => [{ kind: 'linear' }, shape]),
    fc.tuple(side, side, side, side).map(([p, q, channels, outputs]): [ParamLayout, number[]] => [{ kind: 'patch', patch: [p, q], channels }, [p * q * channels, outputs]]),
    fc.tuple(side, side, side, side).map((shape): [ParamLayout, number[]] => [{ kind: 'conv' }, shape]),
    fc.tuple(side, side, side).map((shape): [ParamLayout, number[]] => [{ kind: 'depthwise' }, [...shape, 1]]),
    fc.tuple(side, side, side, side).map(([inputs, p, q, outputs]): [ParamLayout, number[]] => [{ kind: 'deconv', kernel: [p, q] }, [inputs, p * q * outputs]]),
  );

  it('undoes toFileLayout, for every layout', () => {
    fc.assert(
      fc.property(cases, ([layout, shape]) => {
        const tensor = counted(shape);
        const file = toFileLayout(layout, tensor);
        expect(file.shape).toEqual(fileShape(layout, shape));
        expect(fromFileLayout(layout, file, shape)).toEqual(tensor);
      }),
    );
  });

  it('is undone by toFileLayout', () => {
    fc.assert(
      fc.property(cases, ([layout, shape]) => {
        const file = counted(fileShape(layout, shape));
        expect(toFileLayout(layout, fromFileLayout(layout, file, shape))).toEqual(file);
      }),
    );
  });

  it('refuses a tensor of another shape and names both', () => {
    expect(() => fromFileLayout({ kind: 'linear' }, counted([2, 3]), [2, 3])).toThrow(/\[2, 3\], \[3, 2\] is expected/);
  });

  it('handles a parameter without elements', () => {
    expect(fromFileLayout({ kind: 'linear' }, counted([3, 0]), [0, 3]).data).toHaveLength(0);
  });
});
