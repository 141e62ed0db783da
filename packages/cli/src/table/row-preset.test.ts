import { describe, expect, it } from 'vitest';
import { listPresets } from '../commands/presets.js';
import { loadPaperTables } from './paper-tables.js';
import { reproducedRows, rowPreset } from './row-preset.js';

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

  it('are refused for a row that there is not', () => {
    expect(() => rowPreset('t2-99')).toThrow(/t2-99: no preset reproduces this row/);
  });
});
