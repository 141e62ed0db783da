import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findTable } from './paper-tables.js';
import { selectRows } from './select-rows.js';

const table = findTable('t2');
const ids = (list: string): string[] => selectRows(table, list).map(({ id }) => id);

describe('a list of rows', () => {
  it('takes ids, numbers alone and ranges of both', () => {
    expect(ids('t2-01,t2-09')).toEqual(['t2-01', 't2-09']);
    expect(ids('9, 02')).toEqual(['t2-02', 't2-09']);
    expect(ids('t2-11..t2-13')).toEqual(['t2-11', 't2-12', 't2-13']);
    expect(ids('1..3')).toEqual(['t2-01', 't2-02', 't2-03']);
  });

  it('names a row once and keeps the order of the table', () => {
    expect(ids('t2-03,t2-01..t2-03')).toEqual(['t2-01', 't2-02', 't2-03']);
  });

  it('refuses an unknown row with the nearest one and all that there are', () => {
    expect(() => ids('t2-01,t2-019')).toThrow(/--rows: 't2-019' is no row of t2; did you mean 't2-01'\?[^]*t2-01, t2-02, .*t2-13/);
    expect(() => ids('14')).toThrow(`'14' is no row of t2`);
    expect(() => ids('t3-01')).toThrow(`'t3-01' is no row of t2`);
    expect(() => ids('')).toThrow(`'' is no row of t2`);
  });

  it('takes ids in any case and with spaces around', () => {
    expect(ids(' T2-01 , T2-03 ')).toEqual(['t2-01', 't2-03']);
  });

  it('takes any rows in any order and gives them in that of the table', () => {
    const all = table.rows.map(({ id }) => id);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...all), { minLength: 1 }), (chosen) => {
        expect(ids(chosen.join(','))).toEqual(all.filter((id) => chosen.includes(id)));
      }),
    );
  });

  it('refuses lists that end too early', () => {
    for (const list of ['t2-01,', ',', 't2-01..', '..t2-03', '1,,2']) expect(() => ids(list), list).toThrow(`'' is no row of t2`);
  });

  it('refuses numbers that are none', () => {
    for (const list of ['0', '-1', '1.5', '99999999999999999999']) expect(() => ids(list), list).toThrow(`'${list}' is no row of t2`);
  });

  it('refuses ranges that are none', () => {
    expect(() => ids('t2-05..t2-02')).toThrow(`'t2-05..t2-02' ends before it begins`);
    expect(() => ids('1..2..3')).toThrow(`'1..2..3' is no range`);
  });
});
