import type { TokenPlan } from '@mimlab/core';
import type { TopLevelSpec } from 'vega-lite';
import { COLOURS, FIGURE_CONFIG, SCHEMA } from './style.js';

/** A plan and the name of the sampler that made it. */
export interface NamedPlan {
  readonly name: string;
  readonly plan: TokenPlan;
}

/** Pixels of a cell. */
const CELL = 22;
/** Told apart by brightness as well as by hue. */
const ROLES = { visible: '#e6e6e6', retained: COLOURS.blue, thrown: COLOURS.orange } as const;

/** Thrown cells without a known one in the 3 x 3 square around them: a small convolution has nothing to make them from. */
export function isolatedCells({ grid: { rows, columns }, visible, retained, thrown }: TokenPlan): number[] {
  const known = new Set([...visible, ...retained]);
  const around = (cell: number): number[] => {
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    const near = (place: number, count: number): number[] => [place - 1, place, place + 1].filter((other) => other >= 0 && other < count);
    return near(row, rows).flatMap((r) => near(column, columns).map((c) => r * columns + c));
  };
  return [...thrown].filter((cell) => !around(cell).some((other) => known.has(other)));
}

/** Figure 5: what samplers retain of one and the same mask, side by side. */
export function tokenMapsFigure(plans: readonly NamedPlan[], ratio: number): TopLevelSpec {
  const panels = plans.map(({ name, plan }) => {
    const { grid } = plan;
    const isolated = new Set(isolatedCells(plan));
    const cells = Object.keys(ROLES).flatMap((role) =>
      [...plan[role as keyof typeof ROLES]].map((cell) => ({ row: Math.floor(cell / grid.columns), column: cell % grid.columns, role, isolated: isolated.has(cell) })),
    );
    const at = (field: string): object => ({ field, type: 'ordinal', axis: null, scale: { padding: 0.08 } });
    return {
      width: CELL * grid.columns,
      height: CELL * grid.rows,
      title: { text: `${name} sampling`, subtitle: `isolated thrown tokens: ${isolated.size}`, offset: 8 },
      data: { values: cells },
      encoding: { x: at('column'), y: at('row') },
      layer: [
        {
          mark: { type: 'rect', cornerRadius: 1 },
          encoding: {
            color: {
              field: 'role',
              type: 'nominal',
              title: null,
              scale: { domain: Object.keys(ROLES), range: Object.values(ROLES) },
              legend: { orient: 'bottom', direction: 'horizontal', symbolType: 'square', symbolSize: 200, columnPadding: 24 },
            },
          },
        },
        { transform: [{ filter: 'datum.isolated' }], mark: { type: 'point', shape: 'M-1,-1L1,1M-1,1L1,-1', stroke: COLOURS.ink, strokeWidth: 2, size: 90, opacity: 1 } },
      ],
    };
  });
  const { visible, retained, thrown } = (plans[0] as NamedPlan).plan;
  const spec = {
    $schema: SCHEMA,
    config: FIGURE_CONFIG,
    title: { text: 'Which masked tokens are reconstructed', subtitle: `One mask, γ = ${ratio}: ${visible.length} visible, ${retained.length} retained, ${thrown.length} thrown. Crosses: isolated, none of the 8 neighbours is known.` },
    spacing: 40,
    hconcat: panels,
    resolve: { scale: { color: 'shared' } },
  };
  return spec as unknown as TopLevelSpec;
}
