import { missingData } from './missing-data.js';
import type { PaperRow, PaperTable } from './paper-tables.js';
import type { TableRow } from './table-model.js';

/** What stands below a table: what its marks mean, how settings were concluded, which data it would need. */
export function tableNotes(table: PaperTable, chosen: readonly PaperRow[], rows: readonly TableRow[]): readonly string[] {
  const inferred = new Set(chosen.flatMap((row) => row.inferred));
  const reasons = new Map<string, string[]>();
  for (const [key, why] of Object.entries(table.why)) if (inferred.has(key)) reasons.set(why, [...(reasons.get(why) ?? []), key]);
  const lost = chosen.some((row) => row.lost.length > 0);
  const batches = [...new Set(rows.flatMap(({ analytic }) => analytic.memoryBatch ?? []))];
  return [
    ...(lost ? ['n/a: printed by the paper, lost in the source at hand. In brackets: what the running text gives (x of the full method), or what the preset takes.'] : []),
    ...[...reasons].map(([why, keys]) => `* inferred: ${keys.join(', ')}. ${why}`),
    ...(chosen.some(({ reported }) => 'mark' in reported) ? ['† printed so; its footnote is lost.'] : []),
    ...(table.note === undefined ? [] : [table.note]),
    `Analytic: full scale, forward pass of one 224 x 224 image, multiply-accumulates as the paper counts; 'of full' against the same method without throwing.${batches.length === 0 ? '' : ` Memory: the paper's model of a step in mixed precision, ${batches.join(' or ')} images.`}`,
    ...(chosen.some(({ framework, components }) => framework === 'MAE' && components.sampler === 'amt') ? ['AMT: its passes over whole images, to gather attention, are not counted.'] : []),
    ...missingData(table),
  ];
}
