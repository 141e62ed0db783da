import { totalMacs } from '@mimlab/core';
import type { StepCost } from '../grid/measure-costs.js';
import type { GridRow } from '../grid/run-grid.js';
import { spreadOf, type Spread } from '../grid/spread.js';
import type { SweepRow } from './expand-sweep.js';

/** Figures of a row, means over its seeds. */
export interface SweepResult {
  readonly label: string;
  readonly axes: Readonly<Record<string, string>>;
  readonly seeds: readonly number[];
  /** Accuracies 0..1 by evaluation, and each seed's own. */
  readonly evaluations: Readonly<Record<string, Spread & { readonly each: readonly number[] }>>;
  /** Forward multiply-accumulates of one image in pre-training, in G. */
  readonly gmacs?: number;
  readonly pretrain?: { readonly loss: Spread; readonly seconds: Spread; readonly images: number };
  readonly cost?: StepCost;
}

/** Everything a sweep gave; what `--format json` prints. */
export interface SweepResults {
  readonly title: string;
  /** What every encoder was asked, in the order of columns. */
  readonly evaluations: readonly { readonly name: string; readonly protocol: string; readonly labels: string; readonly set: Readonly<Record<string, unknown>> }[];
  readonly rows: readonly SweepResult[];
}

/** Figures of one row. @param rows of its experiments, in their order */
export function sweepResult(row: SweepRow, rows: readonly GridRow[], cost: StepCost | undefined): SweepResult {
  const names = [...new Set(rows.flatMap(({ outcome }) => Object.keys(outcome.evaluations)))];
  const evaluations = names.map((name) => {
    const each = rows.flatMap(({ outcome }) => outcome.evaluations[name]?.accuracy ?? []);
    return [name, { ...(spreadOf(each) as Spread), each }] as const;
  });
  const pretrained = rows.flatMap(({ outcome }) => outcome.pretrain ?? []);
  const first = rows[0] as GridRow;
  const { batch, accumulate } = first.context.config.train;
  return {
    label: row.label,
    axes: row.axes,
    seeds: rows.map(({ context }) => context.config.seed),
    evaluations: Object.fromEntries(evaluations),
    ...(pretrained.length === 0
      ? {}
      : {
          gmacs: totalMacs(first.context.objective.macs()) / 1e9,
          pretrain: {
            loss: spreadOf(pretrained.map(({ loss }) => loss)) as Spread,
            seconds: spreadOf(pretrained.map(({ seconds }) => seconds)) as Spread,
            images: (pretrained[0]?.updates ?? 0) * batch * accumulate,
          },
        }),
    ...(cost === undefined ? {} : { cost }),
  };
}
