import type { TableModel } from './table-model.js';

/**
 * For programs: rows by id. `published` has the paper's numbers, `n/a` where one is lost, `fail` where training failed; `analytic` the
 * names of paper-tables.yaml; `measured` is null where nothing was measured.
 */
export function formatJson({ id, title, scale, notes, rows }: TableModel): string {
  return JSON.stringify(
    {
      id,
      title,
      scale: scale ?? null,
      notes,
      rows: Object.fromEntries(rows.map(({ measured, ...row }) => [row.id, { ...row, measured: measured ?? null }])),
    },
    null,
    2,
  );
}
