import type { MetricsRow } from '@mimlab/train';

/** Mean loss of the first or last tenth of the rows: single updates are noisy. */
export function meanLoss(rows: readonly MetricsRow[], which: 'first' | 'last'): number {
  const count = Math.max(1, Math.floor(rows.length / 10));
  const chosen = which === 'first' ? rows.slice(0, count) : rows.slice(-count);
  return chosen.reduce((sum, { loss }) => sum + loss, 0) / chosen.length;
}
