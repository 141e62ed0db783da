import type { EvaluationResults, SetSummary } from '@mimlab/evaluate';

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** Classes that are written out, the worst first. */
const SHOWN = 5;

const share = ({ accuracy, interval: { low, high }, correct, samples }: SetSummary): string =>
  `${percent(accuracy)} right (${percent(low)} to ${percent(high)} with 95 % confidence), ${correct} of ${samples}`;

/** What a person wants to see at once; the rest is in results.json. */
export function resultLines(results: EvaluationResults): string[] {
  const { protocol, top5, labelled, perClass, sets = {} } = results;
  const worst = perClass.filter((row) => row.accuracy !== null).sort((a, b) => (a.accuracy as number) - (b.accuracy as number));
  return [
    `${protocol}: ${share(results)} test images${labelled > 0 ? `, ${labelled} labelled images` : ''}`,
    ...(top5 === undefined ? [] : [`among the five best: ${percent(top5)}`]),
    ...(worst.length === 0 ? [] : [`hardest classes: ${worst.slice(0, SHOWN).map(({ name, accuracy }) => `${name} ${percent(accuracy as number)}`).join(', ')}`]),
    ...Object.entries(sets).map(([name, set]) => `${name}: ${share(set)} images of ${set.perClass.length} classes`),
  ];
}
