/** Share of right answers, and how far chance may have moved it. */
export interface Score {
  /** 0..1. */
  readonly accuracy: number;
  readonly standardError: number;
}

/** Standard error of a share `p` of `count` independent answers. */
export const binomialError = (p: number, count: number): number => Math.sqrt((p * (1 - p)) / count);

/** @param labels the right answers, as many as predictions */
export function scoreOf(predictions: Int32Array, labels: Int32Array): Score {
  let right = 0;
  for (let i = 0; i < labels.length; i++) if (predictions[i] === labels[i]) right++;
  const accuracy = right / labels.length;
  return { accuracy, standardError: binomialError(accuracy, labels.length) };
}

/**
 * Mean accuracy over draws of labelled samples that are all tested on the same images. Two sources of chance add up:
 * which samples were labelled (variance between draws, over their number) and which images were tested (binomial; not
 * reduced by further draws).
 */
export function scoreOfDraws(accuracies: readonly number[], testCount: number): Score {
  const draws = accuracies.length;
  const accuracy = accuracies.reduce((sum, value) => sum + value, 0) / draws;
  const between = draws < 2 ? 0 : accuracies.reduce((sum, value) => sum + (value - accuracy) ** 2, 0) / (draws - 1);
  return { accuracy, standardError: Math.sqrt(between / draws + binomialError(accuracy, testCount) ** 2) };
}
