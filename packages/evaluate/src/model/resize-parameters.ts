import { CheckpointError, cellsOf, type Grid, type HostTensor, type NamedHostTensors, type ParamSpecs } from '@mimlab/core';
import { interpolatePositions, relativeTableRows, resizeRelativeTable } from '@mimlab/nn';

/** Parameters of a network and the grid of tokens they are made for. */
export interface SizedParams {
  readonly specs: ParamSpecs;
  readonly grid: Grid;
}

const sidesOf = (rows: number): number => (Math.sqrt(rows) + 1) / 2;

/** The grid that a table of relative positions is made for: that of the network, or a square window. */
function tableGrid(name: string, rows: number, grid: Grid): { readonly grid: Grid; readonly cls: boolean } {
  for (const cls of [true, false]) if (rows === relativeTableRows(grid, cls)) return { grid, cls };
  const side = sidesOf(rows);
  if (Number.isInteger(side)) return { grid: { rows: side, columns: side }, cls: false };
  throw new CheckpointError(`a table of ${rows} relative positions belongs neither to the grid nor to a square window`, { place: name, remedy: 'Evaluate at the size of pre-training.' });
}

function resized(name: string, { shape, data }: HostTensor, from: Grid, to: Grid, target: readonly number[]): Float32Array {
  const values = data as Float32Array;
  const [rows = 0, columns = 0] = shape;
  if (name.endsWith('pos_embed')) {
    const width = shape[2] as number;
    return interpolatePositions(values, { width, from, to, front: columns - cellsOf(from) });
  }
  if (name.endsWith('relative_position_bias_table')) {
    const source = tableGrid(name, rows, from);
    return resizeRelativeTable(values, source.grid, tableGrid(name, target[0] as number, to).grid, columns, source.cls);
  }
  throw new CheckpointError(`has shape [${shape.join(', ')}], [${target.join(', ')}] is needed at this size of images`, { place: name, remedy: 'Evaluate at the size of pre-training.' });
}

/**
 * Parameters of one image size for another: position tables are interpolated, tables of relative positions resized, all
 * else stays. Values in memory layout.
 * @throws CheckpointError if another parameter depends on the size
 */
export function resizeParameters(values: NamedHostTensors, source: SizedParams, target: SizedParams): NamedHostTensors {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]): [string, HostTensor] => {
      const { shape } = target.specs[name] ?? value;
      if (shape.join() === value.shape.join()) return [name, value];
      return [name, { shape, dtype: 'float32', data: resized(name, value, source.grid, target.grid, shape) }];
    }),
  );
}
