import { fileURLToPath } from 'node:url';
import { ConfigError, loadDocument } from '@mimlab/core';
import { z } from 'zod';

/** Methods of the paper's tables. */
export const FRAMEWORKS = ['MAE', 'SimMIM', 'LocalMIM', 'MFF', 'TEC', 'GreenMIM'] as const;

/** What a row of the paper switches on. `sampler` unknown: the paper leaves open whether tokens were thrown. */
const Components = z.strictObject({
  progressive: z.boolean(),
  sampler: z.enum(['none', 'random', 'furthest', 'amt', 'unknown']),
  aggregator: z.enum(['dwconv', 'avgpool', 'transformer', 'convnext']).optional(),
  kernel: z.int().positive().optional(),
});

const PaperRow = z.strictObject({
  id: z.string().regex(/^t\d+-\d\d$/),
  framework: z.enum(FRAMEWORKS),
  arch: z.string(),
  target: z.string().optional(),
  epochs: z.int().positive(),
  mask: z.number().gt(0).lt(1).optional(),
  /** Percent of all tokens. */
  throw: z.int().min(0).max(99),
  components: Components,
  /** What can be read in the source, by metric. `mark`: a sign beside the number. */
  reported: z.record(z.string(), z.union([z.number(), z.string()])),
  /** What the running text says of the row. */
  known: z.record(z.string(), z.number()).default({}),
  /** Cells that have no value in the source at hand. */
  lost: z.array(z.string()).default([]),
  /** Settings concluded from elsewhere. */
  inferred: z.array(z.string()).default([]),
  /** Expected results of this project's own computation; tests hold them against it. */
  analytic: z.record(z.string(), z.number()).default({}),
});

const PaperTable = z
  .strictObject({
    id: z.string().regex(/^table\d+$/),
    title: z.string(),
    columns: z.array(z.string()).min(1),
    note: z.string().optional(),
    /** How each inferred setting was concluded. */
    why: z.record(z.string(), z.string()).default({}),
    rows: z.array(PaperRow).min(1),
  })
  .superRefine(({ why, rows }, context) => {
    rows.forEach(({ inferred }, index) => {
      for (const key of inferred) if (!(key in why)) context.addIssue({ code: 'custom', path: ['rows', index, 'inferred'], message: `'why' does not say how '${key}' was concluded` });
    });
  });

const PaperTables = z.strictObject({ paper: z.string(), tables: z.array(PaperTable).min(1) });

/** A row of a results table of the PR-MIM paper (arXiv 2411.15746). */
export type PaperRow = z.infer<typeof PaperRow>;
export type PaperTable = z.infer<typeof PaperTable>;

const FILE = fileURLToPath(new URL('../../tables/paper-tables.yaml', import.meta.url));
let loaded: readonly PaperTable[] | undefined;

/** Tables 2 to 12 of the paper. @throws ConfigError if their file is damaged */
export function loadPaperTables(): readonly PaperTable[] {
  loaded ??= loadDocument(FILE, PaperTables).tables;
  return loaded;
}

/** `table2` as people type it: t2. */
export const shortId = ({ id }: Pick<PaperTable, 'id'>): string => id.replace('table', 't');

/** The table of an id: `t2`, `table2` or `2`. @throws ConfigError with the ids that there are */
export function findTable(id: string): PaperTable {
  const tables = loadPaperTables();
  const wanted = id.trim().toLowerCase().replace(/^(table|t)?(?=\d)/, 'table');
  const found = tables.find((table) => table.id === wanted);
  if (found !== undefined) return found;
  throw new ConfigError(`there is no table '${id}'`, { place: 'ID', remedy: `The tables of the paper: ${tables.map((table) => `${shortId(table)} (${table.title})`).join(', ')}.` });
}
