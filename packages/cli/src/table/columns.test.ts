import { describe, expect, it } from 'vitest';
import { METRICS, SETTINGS } from './columns.js';
import { loadPaperTables, type PaperRow } from './paper-tables.js';

const tables = loadPaperTables();
const row = tables[0]?.rows.at(-1) as PaperRow;

describe('columns of the paper', () => {
  it('are settings or results, each known and none both', () => {
    for (const { id, columns } of tables) for (const key of columns) expect([id, key, Number(key in SETTINGS) + Number(key in METRICS)]).toEqual([id, key, 1]);
  });

  it('are all of use to some table', () => {
    const used = new Set(tables.flatMap(({ columns }) => columns));
    expect([...Object.keys(SETTINGS), ...Object.keys(METRICS)].filter((key) => !used.has(key))).toEqual([]);
  });

  it('have every number that a row reports, beside its mark', () => {
    for (const { rows, columns } of tables) {
      const shown = columns.flatMap((key) => [METRICS[key]?.reported, METRICS[key]?.difference]);
      for (const { id, reported } of rows) expect([id, Object.keys(reported).filter((key) => key !== 'mark' && !shown.includes(key))]).toEqual([id, []]);
    }
  });

  it('are lost or inferred by names that settings answer to', () => {
    const known = new Set([...Object.values(SETTINGS).flatMap(({ facts }) => facts), ...Object.keys(METRICS)]);
    for (const { rows } of tables) for (const { id, lost, inferred } of rows) expect([id, [...lost, ...inferred].filter((fact) => !known.has(fact))]).toEqual([id, []]);
  });
});

describe('settings of a row', () => {
  const value = (key: string, given: PaperRow = row): string | undefined => SETTINGS[key]?.value(given);

  it('are words and numbers as people read them', () => {
    expect(['method', 'arch', 'epochs', 'throw', 'progressive', 'furthest'].map((key) => value(key))).toEqual(['MAE + PR-MIM', 'ViT-B/16', '100', '65', 'yes', 'yes']);
  });

  it('are absent where the row has none', () => {
    expect(['target', 'kernel', 'design'].map((key) => value(key))).toEqual([undefined, undefined, undefined]);
  });

  it('say what is not switched on', () => {
    expect(['progressive', 'furthest'].map((key) => value(key, { ...row, components: { progressive: false, sampler: 'random' } }))).toEqual(['no', 'no']);
  });
});
