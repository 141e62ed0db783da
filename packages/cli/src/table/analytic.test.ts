import { describe, expect, it } from 'vitest';
import { rowAnalytic, type Analytic } from './analytic.js';
import { loadPaperTables } from './paper-tables.js';

const rows = loadPaperTables().flatMap(({ rows: own }) => own);

describe('analytic cells', () => {
  it.each(rows.filter(({ analytic }) => Object.keys(analytic).length > 0))('of $id are those of paper-tables.yaml to half a percent', async (row) => {
    const found = await rowAnalytic(row);
    for (const [key, expected] of Object.entries(row.analytic)) {
      const value = found[key as keyof Analytic];
      expect(value, key).toBeTypeOf('number');
      // moduleGmacs has four decimals, of small numbers too.
      expect(Math.abs((value as number) - expected), `${key}: ${value} against ${expected}`).toBeLessThanOrEqual(key === 'moduleGmacs' ? Math.max(0.00005, 0.005 * expected) : 0.005 * expected);
    }
  });
});
