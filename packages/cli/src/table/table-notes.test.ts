import { describe, expect, it } from 'vitest';
import { missingData } from './missing-data.js';
import type { PaperRow, PaperTable } from './paper-tables.js';
import type { TableRow } from './table-model.js';
import { tableNotes } from './table-notes.js';

const row = (more: Partial<PaperRow> = {}): PaperRow =>
  ({ id: 't2-01', framework: 'MAE', arch: 'ViT-B/16', epochs: 100, throw: 0, components: { progressive: false, sampler: 'none' }, reported: {}, known: {}, lost: [], inferred: [], analytic: {}, ...more }) as PaperRow;
const notes = (rows: readonly PaperRow[], table: Partial<PaperTable> = {}, batches: readonly (number | undefined)[] = []): readonly string[] =>
  tableNotes({ id: 'table2', title: '', columns: [], why: {}, rows: [...rows], ...table } as PaperTable, rows, rows.map((_, at) => ({ analytic: batches[at] === undefined ? {} : { memoryBatch: batches[at] } }) as unknown as TableRow));
const beginning = (found: readonly string[], text: string): string[] => found.filter((note) => note.startsWith(text));

describe('the notes of a table', () => {
  it('always say how costs were computed', () => {
    expect(beginning(notes([row()]), 'Analytic: full scale')).toHaveLength(1);
  });

  it('explain lost cells, marks and the passes of AMT where there are such', () => {
    for (const [text, more] of [
      ['n/a: ', { lost: ['flops'] }],
      ['†', { reported: { mark: 'dagger' } }],
      ['AMT: ', { components: { progressive: false, sampler: 'amt' } }],
    ] as const) {
      expect(beginning(notes([row(), row(more as unknown as Partial<PaperRow>)]), text), text).toHaveLength(1);
      expect(beginning(notes([row()]), text), text).toEqual([]);
    }
  });

  it('give the reason of what was inferred once, for chosen rows alone', () => {
    const why = { arch: 'Same model.', epochs: 'Same model.', throw: 'Ladder.' };
    expect(beginning(notes([row({ inferred: ['arch', 'epochs'] }), row({ inferred: ['arch'] })], { why }), '* inferred')).toEqual(['* inferred: arch, epochs. Same model.']);
  });

  it('hold the note of the table itself', () => {
    expect(notes([row()], { note: 'Of its own.' })).toContain('Of its own.');
  });

  it('say at how many images memory is modelled, for methods of one number together', () => {
    const rows = [row(), row({ framework: 'MFF' }), row({ framework: 'SimMIM' })];
    expect(beginning(notes(rows, {}, [128, 128, 64]), 'Memory')).toEqual(['Memory: by a model of a training step in mixed precision, 128 images (MAE, MFF) or 64 images (SimMIM), good to about 0.03 of a ratio.']);
  });

  it('say for which methods memory is not modelled, once each', () => {
    const rows = [row({ framework: 'TEC' }), row({ framework: 'TEC' }), row({ framework: 'LocalMIM' })];
    expect(beginning(notes(rows), 'Memory')).toEqual([expect.stringMatching(/^Memory of TEC, LocalMIM: no closed formula/)]);
  });

  it('end with the data that a table would need', () => {
    expect(notes([row()], { id: 'table8' }).slice(-2)).toEqual(missingData({ id: 'table8' }));
  });
});

describe('data that a table needs', () => {
  it('are none where images of one set are enough', () => {
    for (const id of ['table2', 'table3', 'table4', 'table5', 'table6', 'table11', 'table12']) expect(missingData({ id })).toEqual([]);
  });

  it('are named with what to do about them', () => {
    for (const id of ['table7', 'table8', 'table9', 'table10']) expect(missingData({ id })).toEqual([expect.stringMatching(/^Data: /), expect.stringMatching(/^(Point|To (segment|detect))/)]);
  });
});
