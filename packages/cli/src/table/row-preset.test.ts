import { describe, expect, it } from 'vitest';
import { listPresets } from '../commands/presets.js';
import { loadPaperTables, type PaperRow } from './paper-tables.js';
import { loadRow, reproducedRows, rowPreset } from './row-preset.js';

const ids = loadPaperTables().flatMap(({ rows }) => rows.map(({ id }) => id));

describe('presets of rows', () => {
  it('are exactly one for each row of tables 2 to 12', () => {
    const names = new Set(listPresets().map(({ name }) => name));
    expect(ids.filter((id) => !names.has(rowPreset(id)))).toEqual([]);
  });

  it('name no row that the paper has not', () => {
    expect(reproducedRows().filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('are shared by rows of one recipe', () => {
    expect(['t2-09', 't3-03', 't11-03', 't12-02'].map(rowPreset)).toEqual(new Array(4).fill('mae/vit-b16-in1k-100e-pr50'));
    expect(['t7-04', 't8-04'].map(rowPreset)).toEqual(['mff/vit-b16-in1k', 'mff/vit-b16-in1k']);
  });

  it('are loaded without the weights of a teacher, which are on no machine', async () => {
    const taught = loadPaperTables().flatMap(({ rows }) => rows).find(({ framework }) => framework === 'TEC') as PaperRow;
    const { config } = await loadRow(taught);
    expect(config.method).toMatchObject({ plugin: 'tec', teacher: { checkpoint: null } });
  });

  it('have the ratio and the architecture of their row', async () => {
    for (const row of loadPaperTables().flatMap(({ rows }) => rows).filter(({ id }) => ['t2-01', 't2-13', 't3-12', 't5-03'].includes(id))) {
      const { config } = await loadRow(row);
      expect([row.id, (config.wrap[0] as { throw?: number } | undefined)?.throw ?? 0, config.train.epochs]).toEqual([row.id, row.throw / 100, row.epochs]);
    }
  });

  it('are refused for a row that there is not', () => {
    expect(() => rowPreset('t2-99')).toThrow(/t2-99: no preset reproduces this row/);
  });
});
