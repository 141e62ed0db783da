import type { StepOutcome } from '@mimlab/engine';
import type { MetricsRow } from './metrics-log.js';
import type { Lap } from './pace.js';

/** Metrics that the engine adds to those of the objective. */
const ENGINE_METRICS: readonly string[] = ['loss', 'gradNorm'];

/** What one update reports. */
export interface UpdateMetrics {
  readonly loss: number;
  /** Parts of the loss: retained and thrown tokens apart, say. */
  readonly parts: Readonly<Record<string, number>>;
  readonly gradNorm: number;
  readonly paramNorm: number;
  readonly updateNorm: number;
}

/**
 * Joins the outcomes of an update's micro-batches: losses are averaged (undivided, as the official log has them), norms
 * are those of the micro-batch that applied the update. `paramNorm` and `updateNorm` are NaN where they were not asked for.
 */
export function joinOutcomes(outcomes: readonly StepOutcome[]): UpdateMetrics {
  const last = outcomes.at(-1) as StepOutcome;
  const mean = (name: string): number => outcomes.reduce((sum, { metrics }) => sum + (metrics[name] ?? NaN), 0) / outcomes.length;
  const norm = (name: string): number => last.outputs[name]?.data[0] ?? NaN;
  const parts = Object.keys(last.metrics).filter((name) => !ENGINE_METRICS.includes(name));
  return {
    loss: mean('loss'),
    parts: Object.fromEntries(parts.map((name) => [name, mean(name)])),
    gradNorm: last.metrics.gradNorm ?? NaN,
    paramNorm: norm('paramNorm'),
    updateNorm: norm('updateNorm'),
  };
}

/** The row of an update for metrics.jsonl. */
export function metricsRow(step: number, epoch: number, metrics: UpdateMetrics, lr: number, pace: Lap): MetricsRow {
  const { loss, parts, gradNorm, paramNorm, updateNorm } = metrics;
  return { step, epoch, loss, parts, lr, gradNorm, paramNorm, updateNorm, ...pace, memoryMiB: Math.round(process.memoryUsage.rss() / 2 ** 20) };
}
