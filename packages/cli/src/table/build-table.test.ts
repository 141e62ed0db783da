import { describe, expect, it } from 'vitest';
import { buildTable } from './build-table.js';
import { METRICS } from './columns.js';
import { findTable, loadPaperTables } from './paper-tables.js';
import { cellText } from './table-cells.js';

describe('published cells', () => {
  it.each(loadPaperTables().map((table) => [table.id, table] as const))('of %s are those of paper-tables.yaml, one by one', async (_id, table) => {
    const { rows } = await buildTable(table);
    expect(rows.map(({ id }) => id)).toEqual(table.rows.map(({ id }) => id));
    for (const [index, { id, published }] of rows.entries()) {
      const { reported, known, lost } = table.rows[index] as (typeof table.rows)[number];
      expect([id, published]).toEqual([id, { ...reported, ...known, ...Object.fromEntries(lost.map((key) => [key, 'n/a'])) }]);
    }
  });

  it.each(loadPaperTables().map((table) => [table.id, table] as const))('of %s are shown as they were printed, lost ones as n/a', async (_id, table) => {
    const { rows, columns } = await buildTable(table);
    for (const column of columns.filter(({ group }) => group === 'published')) {
      rows.forEach((row, index) => {
        const { reported, lost } = table.rows[index] as (typeof table.rows)[number];
        const text = cellText(row, column);
        const printed = reported[METRICS[column.key]?.reported as string];
        if (lost.includes(column.key)) expect([row.id, column.key, text]).toEqual([row.id, column.key, expect.stringMatching(/^n\/a( \(0\.\d\dx\))?$/)]);
        else if (typeof printed === 'number') expect([row.id, Number.parseFloat(text)]).toEqual([row.id, printed]);
        else expect([row.id, text]).toEqual([row.id, printed ?? '-']);
      });
    }
  });

  it('are in the columns of the paper', async () => {
    const { columns } = await buildTable(findTable('t4'));
    expect(columns.filter(({ group }) => group === 'setting' || group === 'published').map(({ key }) => key)).toEqual(findTable('t4').columns);
  });
});

describe('settings', () => {
  it('are marked where they are inferred, and n/a where the paper lost them', async () => {
    const { rows, columns } = await buildTable(findTable('t4'));
    const throwColumn = columns.find(({ key }) => key === 'throw');
    expect(rows[2]?.settings['throw']).toEqual({ value: '50', inferred: true, lost: true });
    expect(cellText(rows[2] as (typeof rows)[number], throwColumn as (typeof columns)[number])).toBe('n/a (50*)');
    expect(rows[0]?.settings['method']).toEqual({ value: 'SimMIM', inferred: false, lost: false });
  });

  it('name methods as the paper does', async () => {
    const { rows } = await buildTable(findTable('t6'));
    expect(rows.map(({ settings }) => settings['method']?.value)).toEqual(['MAE', 'MAE + AMT', 'MAE + PR-MIM', 'SimMIM', 'SimMIM + AMT', 'SimMIM + PR-MIM']);
    const ablation = await buildTable(findTable('t2'), { rows: findTable('t2').rows.slice(1, 4) });
    expect(ablation.rows.map(({ label }) => label)).toEqual([
      'MAE, partial, ViT-B/16, 100 epochs, throw 25',
      'MAE + progressive, random, ViT-B/16, 100 epochs, throw 25',
      'MAE, partial, furthest, ViT-B/16, 100 epochs, throw 25',
    ]);
    const kernels = await buildTable(findTable('t11'), { rows: findTable('t11').rows.slice(0, 1) });
    expect(kernels.rows[0]?.label).toBe('MAE + PR-MIM, ViT-B/16, 100 epochs, throw 50, dwconv 3x3');
  });
});

describe('analytic columns', () => {
  it('have the module where the table is about modules, and the teacher where there is one', async () => {
    const keysOf = async (id: string): Promise<string[]> => (await buildTable(findTable(id))).columns.filter(({ group }) => group === 'analytic').map(({ key }) => key);
    expect(await keysOf('t12')).toEqual(['moduleGmacs', 'gmacs', 'flopsRatio', 'memoryGB', 'memRatioModel']);
    expect(await keysOf('t4')).toEqual(['gmacs', 'flopsRatio', 'gmacsWithTeacher', 'flopsRatioWithTeacher', 'memoryGB', 'memRatioModel']);
    expect(await keysOf('t5')).toEqual(['gmacs', 'flopsRatio']);
  });
});

describe('measured columns', () => {
  const table = findTable('t12');

  it('are left out unless asked for', async () => {
    const { columns, rows } = await buildTable(table);
    expect(columns.some(({ group }) => group === 'measured')).toBe(false);
    expect(rows.every((row) => !('measured' in row))).toBe(true);
  });

  it('stand empty where nothing was measured', async () => {
    const { columns, rows } = await buildTable(table, { measured: new Map() });
    const measured = columns.filter(({ group }) => group === 'measured');
    expect(measured.map(({ key }) => key)).toEqual(['top1', 'stepSeconds', 'timeRatio', 'stepPeakBytes', 'memoryRatio']);
    expect(measured.map((column) => cellText(rows[0] as (typeof rows)[number], column))).toEqual(['-', '-', '-', '-', '-']);
  });

  it('take figures by row, further ones in columns of their own', async () => {
    const own = { top1: { mean: 70, spread: 1, seeds: 2 }, stepSeconds: 0.1234, timeRatio: 0.75, stepPeakBytes: 12_340_000, memoryRatio: 0.64, others: { 'knn, %': { mean: 50, seeds: 1 } } };
    const { columns, rows, scale } = await buildTable(table, { measured: new Map([['t12-02', own]]), scale: 'mnist' });
    expect(scale).toBe('mnist');
    const texts = columns.filter(({ group }) => group === 'measured').map((column) => rows.map((row) => cellText(row, column)));
    expect(texts.map((cells) => cells[1])).toEqual(['70.00 ± 1.00 (2)', '0.123', '0.750', '12.3', '0.640', '50.00']);
    expect(texts.every((cells) => cells[0] === '-')).toBe(true);
  });
});

describe('notes', () => {
  const notesOf = async (id: string, rows?: number): Promise<string> => (await buildTable(findTable(id), rows === undefined ? {} : { rows: findTable(id).rows.slice(0, rows) })).notes.join('\n');

  it('say what was inferred and why, once for settings of one reason', async () => {
    expect(await notesOf('t2')).toContain('* inferred: framework. Not said in the table');
    expect(await notesOf('t2')).toContain('* inferred: arch, epochs. As framework.');
    expect(await notesOf('t11')).toContain('the ladder 3, 5, 7, 9, 11');
    expect(await notesOf('t3')).not.toContain('inferred');
  });

  it('explain marks that the table has, and no others', async () => {
    expect(await notesOf('t6')).toContain('†');
    expect(await notesOf('t5')).not.toContain('†');
    expect(await notesOf('t5')).not.toContain('n/a');
    expect(await notesOf('t2')).toContain('n/a');
  });

  it('say at how many images memory is modelled, and for which methods it is not', async () => {
    expect(await notesOf('t6')).toContain('128 images (MAE) or 64 images (SimMIM)');
    expect(await notesOf('t4')).toContain('Memory of LocalMIM, TEC: no closed formula');
    expect(await notesOf('t5')).toContain('Memory of GreenMIM: no closed formula');
    expect(await notesOf('t4', 5)).not.toContain('LocalMIM:');
  });

  it('name the data that a table needs and how to point to them', async () => {
    expect(await notesOf('t7')).toMatch(/ImageNet-C, -A, -R and -Sketch[^]*mimlab evaluate FINETUNED --protocol robustness .*inC=.*inA=.*inR=.*inSketch=/);
    expect(await notesOf('t8')).toMatch(/iNaturalist 2018 and 2019[^]*mimlab evaluate RUN --protocol finetune --data/);
    expect(await notesOf('t9')).toMatch(/ADE20K.*no segmentation heads.*published only/);
    expect(await notesOf('t10')).toMatch(/COCO.*no detection heads.*published only/);
    expect(await notesOf('t2')).not.toContain('Data:');
  });
});
