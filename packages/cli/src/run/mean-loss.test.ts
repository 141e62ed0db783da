import type { MetricsRow } from '@mimlab/train';
import { describe, expect, it } from 'vitest';
import { meanLoss } from './mean-loss.js';

describe('the loss of a run', () => {
  it('takes losses from the first and the last tenth of the run', () => {
    const rows = Array.from({ length: 20 }, (_, i) => ({ loss: i }) as MetricsRow);
    expect(meanLoss(rows, 'first')).toBe(0.5);
    expect(meanLoss(rows, 'last')).toBe(18.5);
    expect(meanLoss(rows.slice(0, 3), 'last')).toBe(2);
  });

  it('is that of single rows where there are few, and does not change them', () => {
    const rows = [5, 4, 3].map((loss) => ({ loss }) as MetricsRow);
    expect([meanLoss(rows, 'first'), meanLoss(rows, 'last')]).toEqual([5, 3]);
    expect(rows.map(({ loss }) => loss)).toEqual([5, 4, 3]);
  });
});
