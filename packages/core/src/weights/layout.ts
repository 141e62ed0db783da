import { CheckpointError } from '../errors.js';
import type { ParamLayout } from '../params.js';
import { sizeOfShape, type HostArray, type HostTensor } from '../tensors.js';

/** How memory and file relate: the file is `shape` (the memory's, split where needed) with its axes permuted. */
interface Arrangement {
  /** Shape in memory, with merged axes split. */
  readonly split: readonly number[];
  /** Axes of `split` in the order of the file. */
  readonly axes: readonly number[];
}

/** Axes that each layout needs in memory. */
const RANKS = { linear: 2, patch: 2, conv: 4, depthwise: 4, deconv: 2 } as const;

function arrange(layout: ParamLayout, shape: readonly number[]): Arrangement {
  if (layout.kind === 'same') return { split: shape, axes: shape.map((_, axis) => axis) };
  if (shape.length !== RANKS[layout.kind]) throw misfit(layout, shape);
  if (layout.kind === 'linear') return { split: shape, axes: [1, 0] };
  if (layout.kind === 'conv') return { split: shape, axes: [3, 2, 0, 1] };
  if (layout.kind === 'depthwise') {
    if (shape[3] !== 1) throw misfit(layout, shape);
    return { split: shape, axes: [2, 3, 0, 1] };
  }
  if (layout.kind === 'deconv') {
    const [height, width] = layout.kernel;
    const [inputs, columns] = shape as readonly [number, number];
    if (columns % (height * width) !== 0) throw misfit(layout, shape);
    return { split: [inputs, height, width, columns / (height * width)], axes: [0, 3, 1, 2] };
  }
  const [height, width] = layout.patch;
  const [rows, outputs] = shape as readonly [number, number];
  if (rows !== height * width * layout.channels) throw misfit(layout, shape);
  return { split: [height, width, layout.channels, outputs], axes: [3, 2, 0, 1] };
}

const misfit = (layout: ParamLayout, shape: readonly number[]): CheckpointError =>
  new CheckpointError(`shape [${shape.join(', ')}] cannot have the layout '${layout.kind}'`, { remedy: 'Mend the ParamSpec of this parameter.' });

/** Shape in the file of a parameter that has `shape` in memory. @throws CheckpointError if shape and layout disagree. */
export function fileShape(layout: ParamLayout, shape: readonly number[]): readonly number[] {
  const { split, axes } = arrange(layout, shape);
  return axes.map((axis) => split[axis] as number);
}

/** From memory (tfjs) to the layout of official PyTorch files. @see ParamLayout for the table */
export function toFileLayout(layout: ParamLayout, tensor: HostTensor): HostTensor {
  if (layout.kind === 'same') return tensor;
  const { split, axes } = arrange(layout, tensor.shape);
  return { dtype: tensor.dtype, shape: axes.map((axis) => split[axis] as number), data: permute(tensor.data, split, axes) };
}

/**
 * From a file's layout to memory; the exact inverse of `toFileLayout`.
 * @param shape the shape in memory
 * @throws CheckpointError if the tensor does not have the shape that a file must have for it.
 */
export function fromFileLayout(layout: ParamLayout, tensor: HostTensor, shape: readonly number[]): HostTensor {
  const { split, axes } = arrange(layout, shape);
  const expected = axes.map((axis) => split[axis] as number);
  if (tensor.shape.length !== expected.length || expected.some((side, axis) => side !== tensor.shape[axis])) {
    throw new CheckpointError(`the file has shape [${tensor.shape.join(', ')}], [${expected.join(', ')}] is expected`);
  }
  if (layout.kind === 'same') return tensor;
  const inverse = axes.map((_, axis) => axes.indexOf(axis));
  return { dtype: tensor.dtype, shape, data: permute(tensor.data, expected, inverse) };
}

/** Side of the squares in which matrices are transposed: their rows stay in the cache while they are read by columns. */
const TILE = 32;

function transpose(data: HostArray, rows: number, columns: number): HostArray {
  const out = new (data.constructor as new (length: number) => HostArray)(data.length);
  for (let top = 0; top < rows; top += TILE) {
    for (let left = 0; left < columns; left += TILE) {
      const bottom = Math.min(top + TILE, rows);
      const right = Math.min(left + TILE, columns);
      for (let column = left; column < right; column++) {
        for (let row = top; row < bottom; row++) out[column * rows + row] = data[row * columns + column] as number;
      }
    }
  }
  return out;
}

/** Axes in another order: output axis i is input axis `axes[i]`. */
function permute(data: HostArray, shape: readonly number[], axes: readonly number[]): HostArray {
  // Two axes change places or are left alone, and those left alone do not come here.
  if (axes.length === 2) return transpose(data, shape[0] as number, shape[1] as number);
  const strides = shape.map((_, axis) => sizeOfShape(shape.slice(axis + 1)));
  const sides = axes.map((axis) => shape[axis] as number);
  const steps = axes.map((axis) => strides[axis] as number);
  const out = new (data.constructor as new (length: number) => HostArray)(data.length);
  const last = axes.length - 1;
  const length = sides[last] as number;
  const step = steps[last] as number;
  const counter = new Int32Array(last);
  let source = 0;
  for (let target = 0; target < out.length; ) {
    for (let i = 0, from = source; i < length; i++, from += step) out[target++] = data[from] as number;
    for (let axis = last - 1; axis >= 0; axis--) {
      source += steps[axis] as number;
      counter[axis] = (counter[axis] as number) + 1;
      if ((counter[axis] as number) < (sides[axis] as number)) break;
      source -= (steps[axis] as number) * (sides[axis] as number);
      counter[axis] = 0;
    }
  }
  return out;
}
