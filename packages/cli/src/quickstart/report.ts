import type { Measured } from './measure-features.js';

/** Everything the quickstart measured. */
export interface QuickstartResults {
  readonly preset: string;
  readonly images: number;
  readonly updates: number;
  readonly trainSeconds: number;
  readonly totalSeconds: number;
  readonly engine: string;
  readonly costRatio: number;
  readonly firstLoss: number;
  readonly lastLoss: number;
  /** What is taken as the features of an image, in words. */
  readonly features: string;
  readonly knn: readonly Measured[];
}

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
const withError = ({ accuracy, standardError }: { readonly accuracy: number; readonly standardError: number }): string => `${(100 * accuracy).toFixed(1)} ± ${(100 * standardError).toFixed(1)} %`;

/** The accuracies as rows of text: name, few labels, all labels. */
export function knnRows(knn: readonly Measured[]): readonly (readonly string[])[] {
  const few = knn[0]?.few.map(({ labelsPerClass }) => `${labelsPerClass} labels a class`) ?? [];
  return [
    ['features', ...few, 'all labels'],
    ...knn.map(({ features, few: scores, all }) => [features, ...scores.map(withError), percent(all.accuracy)]),
  ];
}

/** A page of results that can be pasted into a README; pictures are named relative to it. */
export function markdownReport(results: QuickstartResults): string {
  const [head = [], ...rows] = knnRows(results.knn);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return `${[
    `Preset \`${results.preset}\`, ${results.updates} updates on ${results.images} images in ${Math.round(results.trainSeconds)} s (${Math.round(results.totalSeconds)} s with evaluation) on ${results.engine}.`,
    `Forward cost ${results.costRatio.toFixed(3)} of the method without PR-MIM. Loss from ${results.firstLoss.toFixed(3)} to ${results.lastLoss.toFixed(3)}.`,
    '',
    `Weighted nearest neighbours (k 20, T 0.07) on frozen features (${results.features}), the full test set:`,
    '',
    line(head),
    line(head.map(() => '---')),
    ...rows.map(line),
    '',
    '![loss](loss.png)',
    '',
    '![reconstructions](reconstructions.png)',
  ].join('\n')}\n`;
}
