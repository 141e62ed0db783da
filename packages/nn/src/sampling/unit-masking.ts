import { cellsOf, ConfigError, type Grid, type PlanCounts, type Sampler, type TokenPlan } from '@mimlab/core';

export interface UnitMasking {
  /** Cells of a unit. */
  readonly unit: Grid;
  /** Share of the units that is hidden. */
  readonly maskRatio: number;
  /** How many units that is: ceil(units * maskRatio) unless told. */
  readonly hidden?: (units: number, maskRatio: number) => number;
}

/** The grid of units. @throws ConfigError if units do not tile the grid. */
export function unitGrid(grid: Grid, unit: Grid): Grid {
  if (grid.rows % unit.rows !== 0 || grid.columns % unit.columns !== 0) {
    throw new ConfigError(`units of ${unit.rows} x ${unit.columns} tokens do not tile a grid of ${grid.rows} x ${grid.columns}`, {
      place: 'maskUnit',
      remedy: 'Choose a mask unit that divides the sides of the image.',
    });
  }
  return { rows: grid.rows / unit.rows, columns: grid.columns / unit.columns };
}

/** Cell ids of a unit, raster order. Units are numbered in raster order. */
export function cellsOfUnit(grid: Grid, unit: Grid, id: number): number[] {
  const across = grid.columns / unit.columns;
  const top = Math.floor(id / across) * unit.rows;
  const left = (id % across) * unit.columns;
  return Array.from({ length: cellsOf(unit) }, (_, i) => (top + Math.floor(i / unit.columns)) * grid.columns + left + (i % unit.columns));
}

/**
 * The plan in which the first `masked` units of an order are hidden. Visible cells are in raster order; hidden ones come
 * unit by unit, in raster order inside a unit.
 */
export function planOfUnits(grid: Grid, unit: Grid, order: Int32Array, masked: number): TokenPlan {
  const retained = Int32Array.from([...order.subarray(0, masked)].flatMap((id) => cellsOfUnit(grid, unit, id)));
  const hidden = new Uint8Array(cellsOf(grid));
  for (const cell of retained) hidden[cell] = 1;
  const visible = Int32Array.from([...hidden.keys()].filter((cell) => hidden[cell] === 0));
  return { grid, visible, retained, thrown: new Int32Array(0) };
}

/**
 * SimMIM's masking: whole units, larger than a token, are hidden, in double precision ceil(units * maskRatio) of them unless told otherwise.
 * The mask stream gives a random order of the units, then one of the hidden tokens: in that order wrappers meet them.
 * Source: official SimMIM, data_simmim.py, MaskGenerator.
 */
export function unitMasking({ unit, maskRatio, hidden = (units, ratio) => Math.ceil(units * ratio) }: UnitMasking): Sampler {
  const maskedUnits = (grid: Grid): number => {
    const units = cellsOf(unitGrid(grid, unit));
    const masked = hidden(units, maskRatio);
    if (masked >= units) {
      throw new ConfigError(`a mask ratio of ${maskRatio} hides all ${units} units of the image`, {
        place: 'maskRatio',
        remedy: 'Lower it, or choose smaller mask units.',
      });
    }
    return masked;
  };
  return {
    scope: 'image',
    unit: () => unit,
    counts(grid): PlanCounts {
      const retained = maskedUnits(grid) * cellsOf(unit);
      return { visible: cellsOf(grid) - retained, retained, thrown: 0 };
    },
    sample({ grid, streams: { mask } }) {
      const order = mask.permutation(cellsOf(unitGrid(grid, unit)));
      const plan = planOfUnits(grid, unit, order, maskedUnits(grid));
      const shuffled = mask.permutation(plan.retained.length);
      return { ...plan, retained: shuffled.map((place) => plan.retained[place] as number) };
    },
  };
}
