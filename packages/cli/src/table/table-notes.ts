import { missingData } from './missing-data.js';
import type { PaperRow, PaperTable } from './paper-tables.js';
import type { TableRow } from './table-model.js';

/** What stands below a table: what its marks mean, how settings were concluded, which data it would need. */
export function tableNotes(table: PaperTable, chosen: readonly PaperRow[], rows: readonly TableRow[]): readonly string[] {
  const inferred = new Set(chosen.flatMap((row) => row.inferred));
  const reasons = new Map<string, string[]>();
  for (const [key, why] of Object.entries(table.why)) if (inferred.has(key)) reasons.set(why, [...(reasons.get(why) ?? []), key]);
  const lost = chosen.some((row) => row.lost.length > 0);
  return [
    ...(lost ? ['n/a: printed by the paper, lost in the source at hand. In brackets: what the running text gives (x of the full method), or what the preset takes.'] : []),
    ...[...reasons].map(([why, keys]) => `* inferred: ${keys.join(', ')}. ${why}`),
    ...(chosen.some(({ reported }) => 'mark' in reported) ? ['† printed so; its footnote is lost.'] : []),
    ...(table.note === undefined ? [] : [table.note]),
    `Analytic: full scale, forward pass of one 224 x 224 image, multiply-accumulates as the paper counts; 'of full' against the same method without throwing.`,
    ...memoryNotes(chosen, rows),
    ...(chosen.some(({ components }) => components.sampler === 'amt') ? ['AMT: its passes over whole images, to gather attention, are not counted.'] : []),
    ...missingData(table),
  ];
}

/** At how many images memory is modelled, and for which methods it is not. */
function memoryNotes(chosen: readonly PaperRow[], rows: readonly TableRow[]): string[] {
  const methods = new Map<number | undefined, Set<string>>();
  chosen.forEach(({ framework }, index) => {
    const batch = rows[index]?.analytic.memoryBatch;
    methods.set(batch, (methods.get(batch) ?? new Set()).add(framework));
  });
  const named = (batch: number | undefined): string => [...(methods.get(batch) ?? [])].join(', ');
  const modelled = [...methods.keys()].flatMap((batch) => (batch === undefined ? [] : [`${batch} images (${named(batch)})`]));
  return [
    ...(modelled.length === 0 ? [] : [`Memory: by a model of a training step in mixed precision, ${modelled.join(' or ')}, good to about 0.03 of a ratio.`]),
    ...(methods.has(undefined) ? [`Memory of ${named(undefined)}: no closed formula; 'mimlab flops PRESET --memory' counts the recorded step.`] : []),
  ];
}
