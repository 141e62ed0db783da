import type { MetricsRow } from '@mimlab/train';
import type { RunLabel } from './report-run.js';

export interface CurvePoint {
  readonly x: number;
  readonly y: number;
}

/** One line of a chart. */
export interface Curve {
  /** Index of the run, which decides the colour. */
  readonly run: number;
  readonly letter: string;
  /** Which of several lines of a run it is (retained, thrown); empty where there is one only. */
  readonly part: string;
  readonly points: readonly CurvePoint[];
}

/** Curves of one quantity, of all runs. */
export interface CurveGroup {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  /** Large charts come first. */
  readonly weight: 'main' | 'side';
  /** Worth a look on a logarithmic axis. */
  readonly log: boolean;
  readonly curves: readonly Curve[];
}

export interface TrainingCurves {
  /** What runs are laid over each other by: updates, or epochs where an epoch has another number of updates in each. */
  readonly x: 'update' | 'epoch';
  readonly groups: readonly CurveGroup[];
  /** Most rows of the log that one point stands for. */
  readonly rowsToPoint: number;
}

/** The two parts that every method logs: tokens by their role (`groupMeans` of @mimlab/nn). */
export const TOKEN_PARTS = ['retained', 'thrown'] as const;
/** Points of one line: more would lie closer than a pen is wide. */
const POINTS = 240;

interface Quantity extends Omit<CurveGroup, 'curves'> {
  readonly parts: Readonly<Record<string, (row: MetricsRow) => number | undefined>>;
}

const one = (read: Quantity['parts'][string]): Quantity['parts'] => ({ '': read });

const QUANTITIES: readonly Quantity[] = [
  { id: 'loss', title: 'Loss', unit: '', weight: 'main', log: true, parts: one(({ loss }) => loss) },
  { id: 'tokens', title: 'Loss of retained and of thrown tokens', unit: '', weight: 'main', log: true, parts: Object.fromEntries(TOKEN_PARTS.map((part) => [part, ({ parts }: MetricsRow) => parts[part]])) },
  { id: 'lr', title: 'Learning rate', unit: '', weight: 'side', log: false, parts: one(({ lr }) => lr) },
  { id: 'grad-norm', title: 'Norm of the gradient', unit: 'before clipping', weight: 'side', log: true, parts: one(({ gradNorm }) => gradNorm) },
  { id: 'param-norm', title: 'Norm of the parameters', unit: '', weight: 'side', log: false, parts: one(({ paramNorm }) => paramNorm) },
  { id: 'update-norm', title: 'Norm of the update', unit: '', weight: 'side', log: true, parts: one(({ updateNorm }) => updateNorm) },
  { id: 'throughput', title: 'Throughput', unit: 'images/s', weight: 'side', log: false, parts: one(({ imagesPerSecond }) => imagesPerSecond) },
  { id: 'waiting', title: 'Time spent waiting for data', unit: '%', weight: 'side', log: false, parts: one(({ seconds: { data, step } }) => (100 * data) / (data + step)) },
  { id: 'memory', title: 'Memory of the process', unit: 'MiB resident', weight: 'side', log: false, parts: one(({ memoryMiB }) => memoryMiB) },
];

/** A chart for every other number that runs have logged beside the loss: scales, branches, fusion weights. */
function otherParts(runs: readonly { readonly metrics: readonly MetricsRow[] }[]): Quantity[] {
  const names = new Set(runs.flatMap(({ metrics }) => metrics.flatMap(({ parts }) => Object.keys(parts))));
  for (const part of TOKEN_PARTS) names.delete(part);
  return [...names].map((name) => ({ id: `part-${name.replace(/[^\p{L}\p{N}]+/gu, '-')}`, title: name, unit: 'logged beside the loss', weight: 'side', log: false, parts: one(({ parts }) => parts[name]) }));
}

/** Everything that runs have logged, as curves. Quantities that no run has are left out. */
export function trainingCurves(runs: readonly (RunLabel & { readonly metrics: readonly MetricsRow[] })[]): TrainingCurves {
  const perEpoch = new Set(runs.flatMap(({ metrics }) => metrics.slice(-1).map(({ step, epoch }) => Math.round(step / epoch))));
  const x = perEpoch.size > 1 ? 'epoch' : 'update';
  const place = (row: MetricsRow): number => (x === 'update' ? row.step : row.epoch);
  const [losses, rest] = [QUANTITIES.slice(0, 2), QUANTITIES.slice(2)];
  const groups = [...losses, ...otherParts(runs), ...rest].map(({ parts, ...group }): CurveGroup => ({
    ...group,
    curves: runs.flatMap(({ letter, metrics }, run) =>
      Object.entries(parts).flatMap(([part, read]): Curve[] => {
        const points = metrics.map((row) => ({ x: place(row), y: read(row) })).filter((point): point is CurvePoint => Number.isFinite(point.y ?? Number.NaN));
        return points.length === 0 ? [] : [{ run, letter, part, points: thinned(points, POINTS) }];
      }),
    ),
  }));
  const rowsToPoint = Math.max(1, ...runs.map(({ metrics }) => Math.ceil(metrics.length / POINTS)));
  return { x, groups: groups.filter(({ curves }) => curves.length > 0 && !thrownNothing(curves)), rowsToPoint };
}

/** Where nothing is thrown the retained tokens are all there is: their chart would repeat that of the loss. */
const thrownNothing = (curves: readonly Curve[]): boolean => curves.every(({ part }) => part === TOKEN_PARTS[0]);

/** At most `count` points, each the mean of as many neighbours; the first and the last value stay as they are. */
export function thinned(points: readonly CurvePoint[], count: number): CurvePoint[] {
  const size = Math.ceil(points.length / count);
  if (size <= 1) return [...points];
  const [first, last] = [points[0] as CurvePoint, points.at(-1) as CurvePoint];
  const means: CurvePoint[] = [];
  const inner = points.slice(1, -1);
  for (let start = 0; start < inner.length; start += size) {
    const group = inner.slice(start, start + size);
    const mean = (read: (point: CurvePoint) => number): number => group.reduce((sum, point) => sum + read(point), 0) / group.length;
    means.push({ x: mean((point) => point.x), y: mean((point) => point.y) });
  }
  return [first, ...means, last];
}
