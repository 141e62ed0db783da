import { z } from 'zod';
import { readJsonFile } from '../json-file.js';

const Measured = z.strictObject({
  mean: z.number().describe('Over batches.'),
  deviation: z.number().nonnegative().describe('Between batches (n - 1).'),
});

const Quantities = z.strictObject({
  cosine: Measured,
  relativeError: Measured,
  scaleFreeError: Measured,
  bias: Measured,
  spread: Measured,
});

/** By layer group: `encoder` (all of it), `embedding`, `early`, `middle`, `late`, and `decoder` apart. */
const Groups = z.record(z.string(), Quantities).refine((groups) => 'encoder' in groups, `has no group 'encoder'`);

export const WEIGHTS = ['own', 'common', 'init'] as const;
export type Weights = (typeof WEIGHTS)[number];

const Row = z.strictObject({
  method: z.enum(['subset', 'partial', 'progressive']).describe('subset: full-length decoder, loss on the retained tokens only.'),
  throw: z.number().describe('Throwing ratio.'),
  sampler: z.string(),
  weights: z.enum(WEIGHTS).describe('own: of the run itself. common: of full reconstruction. init: as training starts.'),
  run: z.string().describe('Folder name of the run that the weights are of.'),
  counts: z.strictObject({ visible: z.int(), retained: z.int(), thrown: z.int() }).describe('Tokens; under subset as if it threw.'),
  fit: z
    .strictObject({ updates: z.int(), loss: z.strictObject({ first: z.number(), last: z.number() }) })
    .optional()
    .describe('The aggregation was fitted afterwards, all else frozen; mean loss over the first and the last tenth of the updates.'),
  groups: Groups,
  floor: Groups.describe('Two gradients of full reconstruction with masks drawn independently, at the same weights.'),
});

/** deviation.json: one row for each method, throwing ratio, sampler and weights (PR-MIM specification, section 7). */
export const DeviationFile = z.strictObject({
  version: z.literal(1),
  settings: z.strictObject({
    batches: z.int(),
    batch: z.int().describe('Images a batch.'),
    plans: z.int().describe('Plans a batch.'),
    seed: z.int(),
  }),
  engine: z.string(),
  rows: z.array(Row),
});

export type DeviationFile = z.infer<typeof DeviationFile>;
export type DeviationRow = z.infer<typeof Row>;

/** The file as text. Six digits are far beyond what batches tell. */
export const deviationJson = (file: DeviationFile): string => JSON.stringify(file, (_, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value), 2);

/** @throws DataError naming the file and what is wrong in it */
export const readDeviationFile = (path: string): Promise<DeviationFile> => readJsonFile(path, DeviationFile, `Name the deviation.json that 'mimlab deviation' wrote.`);

/** What a method is called in tables and figures. */
export function methodName({ method, sampler }: Pick<DeviationRow, 'method' | 'sampler'>): string {
  if (method === 'progressive' && sampler === 'furthest') return 'PR-MIM (progressive, furthest)';
  return `${{ subset: 'loss subset', partial: 'partial', progressive: 'progressive' }[method]}, ${sampler}`;
}
