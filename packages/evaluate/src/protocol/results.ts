import { DataError } from '@mimlab/core';

/** What a protocol says of the test images, in the order of the data set. */
export interface Predictions {
  /** Class of each image, and the right one. */
  readonly predicted: Int32Array;
  readonly labels: Int32Array;
  /** Share of images whose label is among the five highest scores; where there are scores and more than five classes. */
  readonly top5?: number;
  /** Further sets of images by name, where a protocol asks about more than the test images. */
  readonly sets?: Readonly<Record<string, SetPredictions>>;
  /** Anything else worth keeping: plain data. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Answers about a set of images with a list of classes of its own, which predictions and labels count by. */
export interface SetPredictions extends Pick<Predictions, 'predicted' | 'labels' | 'top5'> {
  readonly classes: readonly string[];
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface ClassResult {
  readonly name: string;
  readonly samples: number;
  readonly correct: number;
  /** 0..1; null where there are no test images. */
  readonly accuracy: number | null;
}

/** What is said about the answers to one set of images. */
export interface SetSummary {
  /** 0..1. */
  readonly accuracy: number;
  /** Of 95 %, by Wilson's score. */
  readonly interval: Interval;
  readonly samples: number;
  readonly correct: number;
  readonly top5?: number;
  readonly perClass: readonly ClassResult[];
  /** How often each class (row) was taken for each (column). */
  readonly confusion: readonly (readonly number[])[];
}

/** Everything that results.json says about the answers: on the test images, and on further sets. */
export interface Summary extends SetSummary {
  readonly sets?: Readonly<Record<string, SetSummary>>;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Quantile of the normal distribution for 95 %. */
const Z = 1.959963984540054;

/**
 * The 95 % interval of a share by Wilson's score (1927): it stays inside 0..1 and does not collapse at the ends, as
 * p +- z sqrt(p (1 - p) / n) would.
 */
export function wilsonInterval(correct: number, samples: number): Interval {
  if (samples === 0) return { low: 0, high: 1 };
  const share = correct / samples;
  const scale = 1 + Z ** 2 / samples;
  const middle = (share + Z ** 2 / (2 * samples)) / scale;
  const half = (Z / scale) * Math.sqrt((share * (1 - share)) / samples + Z ** 2 / (4 * samples ** 2));
  return { low: correct === 0 ? 0 : middle - half, high: correct === samples ? 1 : middle + half };
}

/** @throws DataError if predictions and labels do not fit each other or the classes */
export function summarize({ sets, details = {}, ...own }: Predictions, classes: readonly string[]): Summary {
  const others = sets === undefined ? {} : { sets: Object.fromEntries(Object.entries(sets).map(([name, set]) => [name, summaryOf(set)])) };
  return { ...summaryOf({ ...own, classes }), ...others, details };
}

function summaryOf({ predicted, labels, top5, classes }: SetPredictions): SetSummary {
  if (predicted.length !== labels.length) throw new DataError(`${predicted.length} predictions do not fit ${labels.length} labels`, { place: 'predictions' });
  const confusion = classes.map(() => Array<number>(classes.length).fill(0));
  predicted.forEach((prediction, i) => {
    const row = confusion[labels[i] as number];
    if (row?.[prediction] === undefined) throw new DataError(`image ${i} has label ${labels[i]} and prediction ${prediction}, there are ${classes.length} classes`, { place: 'predictions' });
    row[prediction] = (row[prediction] as number) + 1;
  });
  const perClass = classes.map((name, label): ClassResult => {
    const row = confusion[label] as number[];
    const samples = row.reduce((sum, count) => sum + count, 0);
    const correct = row[label] as number;
    return { name, samples, correct, accuracy: samples === 0 ? null : correct / samples };
  });
  const correct = perClass.reduce((sum, row) => sum + row.correct, 0);
  const samples = labels.length;
  return {
    accuracy: samples === 0 ? 0 : correct / samples,
    interval: wilsonInterval(correct, samples),
    samples,
    correct,
    ...(top5 === undefined ? {} : { top5 }),
    perClass,
    confusion,
  };
}

/** The highest score of each row, the lower class where two are equal, and how often the label is among the five highest. */
export function predictionsFromScores(scores: Float32Array, labels: Int32Array, classes: number): Pick<Predictions, 'predicted' | 'labels' | 'top5'> {
  const predicted = new Int32Array(labels.length);
  let amongFive = 0;
  labels.forEach((label, i) => {
    const row = scores.subarray(i * classes, (i + 1) * classes);
    let best = 0;
    let above = 0;
    const own = row[label] as number;
    for (let c = 0; c < classes; c++) {
      if ((row[c] as number) > (row[best] as number)) best = c;
      if ((row[c] as number) > own || (row[c] === own && c < label)) above++;
    }
    predicted[i] = best;
    if (above < 5) amongFive++;
  });
  return { predicted, labels, ...(classes > 5 && labels.length > 0 ? { top5: amongFive / labels.length } : {}) };
}
