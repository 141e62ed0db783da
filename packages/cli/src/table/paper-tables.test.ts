import { describe, expect, it } from 'vitest';
import { findTable, loadPaperTables, shortId } from './paper-tables.js';

describe('the tables of the paper', () => {
  it('are tables 2 to 12 with their rows', () => {
    expect(loadPaperTables().map((table) => [shortId(table), table.rows.length])).toEqual([
      ['t2', 13],
      ['t3', 14],
      ['t4', 14],
      ['t5', 6],
      ['t6', 6],
      ['t7', 6],
      ['t8', 6],
      ['t9', 3],
      ['t10', 3],
      ['t11', 5],
      ['t12', 4],
    ]);
  });

  it('number their rows through', () => {
    for (const table of loadPaperTables()) expect(table.rows.map(({ id }) => id)).toEqual(table.rows.map((_, index) => `${shortId(table)}-${String(index + 1).padStart(2, '0')}`));
  });

  it('never have a lost cell beside a printed number', () => {
    for (const { rows } of loadPaperTables()) for (const { id, lost, reported } of rows) expect([id, lost.filter((key) => key in reported)]).toEqual([id, []]);
  });

  it('say how every inferred setting was concluded, and of nothing else', () => {
    for (const { id, why, rows } of loadPaperTables()) expect([id, Object.keys(why).sort()]).toEqual([id, [...new Set(rows.flatMap(({ inferred }) => inferred))].sort()]);
  });

  it.each(['t2', 'table2', 'T2', ' 2 '])('are found by %s', (id) => {
    expect(findTable(id).id).toBe('table2');
  });

  it.each(['t1', 't13', 'two', ''])(`refuse '%s' with the ids that there are`, (id) => {
    expect(() => findTable(id)).toThrow(/there is no table '.*'[^]*t2 \(Effect of progressive.*t12 \(/);
  });
});
