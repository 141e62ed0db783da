import type { MetricsRow } from '@mimlab/train';
import { expect, it } from 'vitest';
import { lastMean, median, progressOf } from './run-summary.js';

const rows = (losses: readonly number[]): MetricsRow[] => losses.map((loss, at) => ({ step: at + 1, epoch: (at + 1) / 4, loss, parts: { retained: loss } }) as unknown as MetricsRow);

it('the loss at the end is the mean of the last tenth of the log', () => {
  expect(lastMean(rows([...Array<number>(18).fill(9), 2, 4]), ({ loss }) => loss)).toBe(3);
  expect(lastMean(rows([9, 5]), ({ loss }) => loss)).toBe(5);
});

it('a part that was not logged has no mean', () => {
  expect(lastMean(rows([9, 5]), ({ parts }) => parts['thrown'])).toBeUndefined();
});

it('the median stands in the middle', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, undefined]);
});

it('a run that was stopped says how many updates it should have', () => {
  const context = { config: { train: { epochs: 8 } } } as unknown as Parameters<typeof progressOf>[0]['context'];
  expect(progressOf({ metrics: rows([1, 1]), checkpoints: [], context })).toEqual({ updates: 2, total: 32, epochs: 0.5 });
});
