import { knnClassify, type KnnOptions } from './knn.js';
import { perClass, selectFeatures } from './label-subset.js';
import { scoreOfDraws, type Score } from './score.js';

export interface EvaluateKnnOptions extends Omit<KnnOptions, 'k' | 'temperature'> {
  /** Default 20. */
  readonly k?: number;
  /** Default 0.07. */
  readonly temperature?: number;
  /** Labelled samples of each class, for each of which the accuracy is told. */
  readonly labelsPerClass?: readonly number[];
  /** Random choices of labelled samples over which the accuracy is averaged. Default 5. */
  readonly draws?: number;
  readonly seed: number;
}

export interface FewLabelsScore extends Score {
  readonly labelsPerClass: number;
  /** Accuracy of each draw. */
  readonly draws: readonly number[];
}

export interface KnnScores {
  /** With all labels. */
  readonly all: Score;
  readonly few: readonly FewLabelsScore[];
}

/** Accuracy of weighted nearest neighbours with all labels and with few, as a function of the features and the seed. */
export async function evaluateKnn(options: EvaluateKnnOptions): Promise<KnnScores> {
  const { k = 20, temperature = 0.07, labelsPerClass = [], draws = 5, seed, train, ...rest } = options;
  const few: FewLabelsScore[] = [];
  for (const n of labelsPerClass) {
    const accuracies: number[] = [];
    for (let draw = 0; draw < draws; draw++) {
      const labelled = selectFeatures(train, perClass(train.labels, n, seed, draw));
      accuracies.push((await knnClassify({ ...rest, train: labelled, k, temperature })).accuracy);
    }
    few.push({ labelsPerClass: n, draws: accuracies, ...scoreOfDraws(accuracies, rest.test.count) });
  }
  const { accuracy, standardError } = await knnClassify({ ...rest, train, k, temperature });
  return { all: { accuracy, standardError }, few };
}
