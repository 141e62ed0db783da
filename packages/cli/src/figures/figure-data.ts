import { z } from 'zod';
import { readJsonFile } from '../json-file.js';

/** Percent. `spread`: standard deviation over seeds. */
const Accuracy = z.object({
  mean: z.number().min(0).max(100),
  spread: z.number().nonnegative().nullish().transform((spread) => spread ?? undefined),
});

const TableRow = z.object({
  id: z.string(),
  published: z.object({ top1: z.union([z.number(), z.string()]).nullish() }).nullish(),
  analytic: z.object({ gmacs: z.number().positive().nullish() }).nullish(),
  measured: z.object({ top1: Accuracy.nullish() }).nullish(),
});

/** What `mimlab table t2 --format json` prints: rows by their id. Other keys are passed over. */
const TableResults = z.object({
  scale: z.string().nullish().describe('What was measured on.'),
  rows: z.record(z.string(), TableRow).transform((rows) => Object.values(rows)),
});

export type TableRow = z.infer<typeof TableRow>;
export type TableResults = z.output<typeof TableResults>;

/** Figure 6: `{"title": "CIFAR-10, ...", "rows": [{"series": "MAE", "blocks": 2, "accuracy": {"mean": 71.3, "spread": 0.2}}]}`. */
const FineTuningResults = z.strictObject({
  title: z.string().optional().describe('Data and schedule, written under the title.'),
  rows: z
    .array(
      z.strictObject({
        series: z.string().min(1).describe('Name of the method: MAE, partial, PR-MIM.'),
        blocks: z.number().nonnegative().describe('Last blocks that were tuned; 0 is linear probing, 0.5 the MLP of the last block.'),
        accuracy: z.strictObject(Accuracy.shape),
      }),
    )
    .min(1),
});

export type FineTuningResults = z.infer<typeof FineTuningResults>;

/** What `mimlab sweep --format json` prints; accuracies as shares. Evaluations other than partial fine-tuning are passed over. */
const SweepCurve = z
  .object({
    title: z.string(),
    evaluations: z.array(z.object({ name: z.string(), protocol: z.string(), set: z.record(z.string(), z.unknown()) })),
    rows: z.array(z.object({ label: z.string(), evaluations: z.record(z.string(), z.object({ mean: z.number(), spread: z.number().optional() })) })),
  })
  .transform(({ title, evaluations, rows }): z.input<typeof FineTuningResults> => ({
    title,
    rows: rows.flatMap(({ label, evaluations: figures }) =>
      evaluations.flatMap(({ name, protocol, set }) => {
        const blocks = set['blocks'] === 'half' ? 0.5 : set['blocks'];
        const figure = figures[name];
        if (protocol !== 'partial' || typeof blocks !== 'number' || figure === undefined) return [];
        const accuracy = { mean: 100 * figure.mean, ...(figure.spread === undefined ? {} : { spread: 100 * figure.spread }) };
        return [{ series: label, blocks, accuracy }];
      }),
    ),
  }))
  .pipe(FineTuningResults);

/** @throws DataError naming the file, the row and what is wrong with it */
export const readTableResults = (path: string): Promise<TableResults> => readJsonFile(path, TableResults, `Write it with 'mimlab table t2 --format json'.`);

/**
 * Accuracies by tuned blocks: rows written by hand, or what a sweep over partial fine-tuning printed.
 * @throws DataError naming the file, the row and what is wrong with it
 */
export const readFineTuningResults = (path: string): Promise<FineTuningResults> =>
  readJsonFile(path, (given) => (typeof given === 'object' && given !== null && 'evaluations' in given ? SweepCurve : FineTuningResults), `Expected what 'mimlab sweep --format json' prints of evaluations by partial fine-tuning, or {"rows": [{"series": "MAE", "blocks": 0, "accuracy": {"mean": 60.1, "spread": 0.3}}, ...]}, accuracies in percent.`);
