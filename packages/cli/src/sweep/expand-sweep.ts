import { evaluationPlan, nameOf, overridesOf } from '../grid/evaluation-settings.js';
import type { Experiment } from '../grid/experiment.js';
import type { Sweep } from './sweep-file.js';

/** One row of a sweep's results: the same settings, with every seed. */
export interface SweepRow {
  /** Variant and values, as the first column shows them. */
  readonly label: string;
  /** The label by axis: `variant`, and the keys of the grid. */
  readonly axes: Readonly<Record<string, string>>;
  /** One for each seed, in the order of the seeds. */
  readonly experiments: readonly Experiment[];
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

interface Point {
  readonly axes: Readonly<Record<string, string>>;
  readonly set: readonly string[];
  readonly pretrain: boolean;
  readonly evaluate: readonly string[] | undefined;
}

/** Every combination of variants and values, in the order they are written: the last key changes fastest. */
export function expandSweep({ base, set, variants, grid, seeds, evaluate }: Sweep): SweepRow[] {
  const first: Point[] =
    variants === undefined
      ? [{ axes: {}, set: [], pretrain: true, evaluate: undefined }]
      : Object.entries(variants).map(([label, variant]) => ({ axes: { variant: label }, set: overridesOf(variant.set), pretrain: variant.pretrain, evaluate: variant.evaluate }));
  const points = Object.entries(grid).reduce<Point[]>(
    (before, [key, values]) =>
      before.flatMap((point) => values.map((value): Point => ({ ...point, axes: { ...point.axes, [key]: shown(value) }, set: [...point.set, ...overridesOf({ [key]: value })] }))),
    first,
  );
  return points.map(({ axes, set: own, pretrain, evaluate: asked }) => {
    const label = Object.entries(axes).map(([axis, value]) => (axis === 'variant' ? value : `${axis} ${value}`)).join(', ') || 'base';
    const plans = evaluate.filter((evaluation) => asked === undefined || asked.includes(nameOf(evaluation)));
    const experiments = seeds.map((seed): Experiment => ({
      id: seeds.length > 1 ? `${label}, seed ${seed}` : label,
      config: base,
      set: [...overridesOf(set), ...own, `seed=${seed}`],
      pretrain,
      evaluations: plans.map((evaluation) => evaluationPlan(evaluation, seed)),
    }));
    return { label, axes, experiments };
  });
}
