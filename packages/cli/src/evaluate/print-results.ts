import type { EvaluationResults } from '@mimlab/evaluate';

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** Classes that are written out, the worst first. */
const SHOWN = 5;

/** What a person wants to see at once; the rest is in results.json. */
export function resultLines({ protocol, accuracy, interval, correct, samples, top5, labelled, perClass }: EvaluationResults): string[] {
  const worst = perClass.filter((row) => row.accuracy !== null).sort((a, b) => (a.accuracy as number) - (b.accuracy as number));
  return [
    `${protocol}: ${percent(accuracy)} right (${percent(interval.low)} to ${percent(interval.high)} with 95 % confidence), ${correct} of ${samples} test images${labelled > 0 ? `, ${labelled} labelled images` : ''}`,
    ...(top5 === undefined ? [] : [`among the five best: ${percent(top5)}`]),
    `hardest classes: ${worst.slice(0, SHOWN).map(({ name, accuracy: share }) => `${name} ${percent(share as number)}`).join(', ')}`,
  ];
}
