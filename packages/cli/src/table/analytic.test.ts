import { describe, expect, it } from 'vitest';
import { countCost } from '../cost/count-cost.js';
import { loadRunContext } from '../run/run-context.js';
import { rowAnalytic, type Analytic } from './analytic.js';
import { loadPaperTables, type PaperRow } from './paper-tables.js';
import { rowPreset } from './row-preset.js';

const rows = loadPaperTables().flatMap(({ rows: own }) => own);
const rowOf = (id: string): PaperRow => rows.find((row) => row.id === id) as PaperRow;

describe('analytic cells', () => {
  it.each(rows.filter(({ analytic }) => Object.keys(analytic).length > 0))('of $id are those of paper-tables.yaml to half a percent', async (row) => {
    const found = await rowAnalytic(row);
    for (const [key, expected] of Object.entries(row.analytic)) {
      const value = found[key as keyof Analytic];
      expect(value, key).toBeTypeOf('number');
      // The module's four decimals are fewer digits than half a percent of small ones needs.
      const allowed = Math.max(0.005 * expected, key === 'moduleGmacs' ? 0.00005 : 0);
      expect(Math.abs((value as number) - expected), `${key}: ${value} against ${expected}`).toBeLessThanOrEqual(allowed);
    }
  });

  it('are there for rows of which paper-tables.yaml has none', async () => {
    expect(await rowAnalytic(rowOf('t9-03'))).toEqual(await rowAnalytic(rowOf('t3-09')));
    expect((await rowAnalytic(rowOf('t6-05'))).flopsRatio).toBeCloseTo(0.75, 2);
    expect((await rowAnalytic(rowOf('t4-11'))).memRatioModel).toBeCloseTo(0.638, 3);
  });

  it('meet the ratios that the paper publishes: 0.72 of the FLOPs and 0.64 of the memory', async () => {
    const { flopsRatio, memRatioModel } = await rowAnalytic(rowOf('t3-09'));
    expect(Math.abs(flopsRatio - 0.72)).toBeLessThan(0.005);
    expect(Math.abs((memRatioModel as number) - 0.64)).toBeLessThan(0.01);
  });

  it('tell what costs with a teacher from what costs without', async () => {
    const { gmacs, gmacsWithTeacher } = await rowAnalytic(rowOf('t4-12'));
    expect((gmacsWithTeacher as number) - gmacs).toBeCloseTo(17.56, 1);
    expect(await rowAnalytic(rowOf('t3-09'))).not.toHaveProperty('gmacsWithTeacher');
  });

  it('leave memory out where the model has no formula', async () => {
    expect(await rowAnalytic(rowOf('t4-08'))).not.toHaveProperty('memoryGB');
  });

  // A row of each method and each aggregation; countCost refuses if formula and recorded graph differ in any part.
  it.each(['t2-06', 't2-09', 't4-03', 't4-08', 't4-11', 't4-14', 't5-03', 't6-02', 't12-01', 't12-03', 't12-04'])('of %s follow from formulas that agree with the recorded graph', async (id) => {
    const row = rowOf(id);
    const { composition } = await loadRunContext(rowPreset(id), row.framework === 'TEC' ? ['method.teacher.checkpoint=null'] : []);
    const counted = countCost(composition, 'paper');
    const { gmacs, gmacsWithTeacher, flopsRatio, flopsRatioWithTeacher } = await rowAnalytic(row);
    expect(gmacsWithTeacher ?? gmacs).toBe(counted.total / 1e9);
    expect(flopsRatioWithTeacher ?? flopsRatio).toBe(counted.ratio);
  });
});
