import type { Analytic } from './analytic.js';

/** A value that the paper prints; `n/a`: it prints one that is lost in the source at hand; `fail`: training did not converge. */
export type PublishedValue = number | string;

/** A figure over seeds. */
export interface MeasuredFigure {
  readonly mean: number;
  /** Standard deviation over the seeds; absent for one. */
  readonly spread?: number;
  readonly seeds: number;
}

/** What a machine measured of a row at a small scale. */
export interface Measured {
  /** Percent. */
  readonly top1?: MeasuredFigure;
  readonly stepSeconds?: number;
  /** Of a step over that of the full method. */
  readonly timeRatio?: number;
  /** Most bytes that a step's own allocations held at once. */
  readonly stepPeakBytes?: number;
  readonly memoryRatio?: number;
  /** Further figures under the heads that they get. */
  readonly others?: Readonly<Record<string, MeasuredFigure>>;
}

/** What is varied in a row, as its preset has it. */
export interface Setting {
  readonly value: string;
  /** Concluded from elsewhere; the notes say how. */
  readonly inferred: boolean;
  /** The paper prints it, but it is lost in the source at hand. */
  readonly lost: boolean;
}

export interface TableRow {
  /** As `t2-09`. */
  readonly id: string;
  /** The row in words. */
  readonly label: string;
  readonly preset: string;
  readonly settings: Readonly<Record<string, Setting>>;
  readonly published: Readonly<Record<string, PublishedValue>>;
  readonly analytic: Analytic;
  readonly measured?: Measured;
}

/** A column: which figure, and how its head reads. */
export interface Column {
  readonly group: 'setting' | 'published' | 'analytic' | 'measured';
  readonly key: string;
  readonly head: string;
}

/** A table of the paper with all that is known of it; every format is written from this. */
export interface TableModel {
  /** As `t2`. */
  readonly id: string;
  readonly title: string;
  /** What the measured columns were measured on. */
  readonly scale?: string;
  readonly notes: readonly string[];
  readonly columns: readonly Column[];
  readonly rows: readonly TableRow[];
}
