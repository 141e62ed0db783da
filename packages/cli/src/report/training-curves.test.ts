import type { MetricsRow } from '@mimlab/train';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { thinned, trainingCurves, type TrainingCurves } from './training-curves.js';

const row = (step: number, changes: Partial<MetricsRow> = {}): MetricsRow => ({
  step,
  epoch: step / 4,
  loss: 1 / step,
  parts: { retained: 1 / step },
  lr: 0.1,
  gradNorm: 2,
  paramNorm: 3,
  updateNorm: 0.5,
  memoryMiB: 100,
  imagesPerSecond: 50,
  seconds: { data: 1, step: 3 },
  ...changes,
});

const run = (letter: string, metrics: readonly MetricsRow[]) => ({ letter, name: letter, metrics });
const group = ({ groups }: TrainingCurves, id: string) => groups.find((each) => each.id === id);

describe('curves of runs', () => {
  it('hold every quantity of the log', () => {
    const ids = trainingCurves([run('A', [row(1), row(2)])]).groups.map(({ id }) => id);
    expect(ids).toEqual(['loss', 'lr', 'grad-norm', 'param-norm', 'update-norm', 'throughput', 'waiting', 'memory']);
  });

  it('keep the losses of retained and thrown tokens apart where tokens are thrown', () => {
    const curves = trainingCurves([run('A', [row(1, { parts: { retained: 1, thrown: 2 } })]), run('B', [row(1)])]);
    expect(group(curves, 'tokens')?.curves.map(({ letter, part, points }) => [letter, part, points[0]?.y])).toEqual([
      ['A', 'retained', 1],
      ['A', 'thrown', 2],
      ['B', 'retained', 1],
    ]);
  });

  it('have a chart for whatever else is logged beside the loss', () => {
    const curves = trainingCurves([run('A', [row(1, { parts: { retained: 1, 'fusion.0': 0.25 } })])]);
    expect(group(curves, 'part-fusion-0')).toMatchObject({ title: 'fusion.0', curves: [{ points: [{ x: 1, y: 0.25 }] }] });
  });

  it('have charts with ids of their own for parts named in any language', () => {
    const { groups } = trainingCurves([run('A', [row(1, { parts: { потеря: 1, 損失: 2, 'own loss': 3 } })])]);
    expect(groups.filter(({ id }) => id.startsWith('part-')).map(({ id, title }) => [id, title])).toEqual([['part-потеря', 'потеря'], ['part-損失', '損失'], ['part-own-loss', 'own loss']]);
  });

  it('leave out the chart of retained tokens where nothing is thrown: it would repeat the loss', () => {
    expect(group(trainingCurves([run('A', [row(1)])]), 'tokens')).toBeUndefined();
  });

  it('keep the place of a run among all, whoever has logged a quantity', () => {
    const curves = trainingCurves([run('A', []), run('B', [row(1)])]);
    expect(group(curves, 'loss')?.curves.map(({ run: place, letter }) => [place, letter])).toEqual([[1, 'B']]);
  });

  it('offer logarithmic axes for losses and norms of gradient and update alone', () => {
    const { groups } = trainingCurves([run('A', [row(1, { parts: { retained: 1, thrown: 1 } })])]);
    expect(groups.filter(({ log }) => log).map(({ id }) => id)).toEqual(['loss', 'tokens', 'grad-norm', 'update-norm']);
  });

  it('say how many rows a point stands for', () => {
    const rows = (count: number) => Array.from({ length: count }, (_, at) => row(at + 1));
    expect(trainingCurves([run('A', rows(240)), run('B', rows(10))]).rowsToPoint).toBe(1);
    expect(trainingCurves([run('A', rows(241)), run('B', rows(10))]).rowsToPoint).toBe(2);
    expect(trainingCurves([]).rowsToPoint).toBe(1);
  });

  it('show the share of time spent waiting in percent', () => {
    expect(group(trainingCurves([run('A', [row(1)])]), 'waiting')?.curves[0]?.points).toEqual([{ x: 1, y: 25 }]);
  });

  it('lie over updates, or over epochs where an epoch has another number of updates', () => {
    expect(trainingCurves([run('A', [row(8)]), run('B', [row(4)])]).x).toBe('update');
    const other = trainingCurves([run('A', [row(8)]), run('B', [row(8, { epoch: 1 })])]);
    expect(other.x).toBe('epoch');
    expect(group(other, 'loss')?.curves.map(({ points }) => points[0]?.x)).toEqual([2, 1]);
  });

  it('leave out what is no number', () => {
    const curves = trainingCurves([run('A', [row(1, { paramNorm: Number.NaN }), row(2)])]);
    expect(group(curves, 'param-norm')?.curves[0]?.points).toEqual([{ x: 2, y: 3 }]);
  });

  it('are none without rows', () => {
    expect(trainingCurves([run('A', [])]).groups).toEqual([]);
  });
});

describe('a long curve', () => {
  it('keeps its ends, and means of neighbours between them', () => {
    const points = [1, 2, 4, 6, 8, 9].map((y, x) => ({ x, y }));
    expect(thinned(points, 3)).toEqual([points[0], { x: 1.5, y: 3 }, { x: 3.5, y: 7 }, points[5]]);
  });

  it('has its ends, its order and its range, and few points, however long it is', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 99 }), fc.integer({ min: 1, max: 20 }), (values, count) => {
        const points = values.map((y, x) => ({ x, y }));
        const fewer = thinned(points, count);
        expect([fewer[0], fewer.at(-1)]).toEqual([points[0], points.at(-1)]);
        expect(fewer.length).toBeLessThanOrEqual(count + 2);
        expect(fewer.every(({ x }, at) => at === 0 || x > (fewer[at - 1]?.x ?? 0))).toBe(true);
        expect(fewer.every(({ y }) => y >= Math.min(...values) && y <= Math.max(...values))).toBe(true);
      }),
    );
  });

  it('stays as it is if it is short enough', () => {
    const points = [{ x: 0, y: 1 }, { x: 1, y: 2 }];
    expect(thinned(points, 2)).toEqual(points);
  });
});
