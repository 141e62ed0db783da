import { DataError, type ImageSpec } from '@mimlab/core';
import { createLoader, interruptible, openDataset, type DatasetRef, type Loader, type LoaderOptions } from '@mimlab/data';
import { labelledSamples, type LabelBudget } from '../label-subset.js';
import type { RowProgress } from '../loader-rows.js';
import { checkSameClasses } from './class-lists.js';
import { findLeaks, type Leak } from './leaks.js';
import type { EvaluationData, TestFolder } from './protocol.js';

export interface EvaluationDataOptions {
  /** Absent for protocols that learn nothing. */
  readonly train?: DatasetRef;
  readonly test: DatasetRef;
  readonly image: ImageSpec;
  /** Of test images: size over shorter side of the resized image, before the centre is cut out. */
  readonly cropFraction: number;
  readonly labels: LabelBudget;
  readonly seed: number;
  readonly workers: number;
  readonly prefetch: number;
  /** Memory for decoded images; see `LoaderOptions`. */
  readonly cacheBytes?: number;
  /** Looks for test images among the training images; told how far it is. */
  readonly leaks?: RowProgress;
}

export interface OpenedData {
  readonly data: EvaluationData;
  readonly leaks: readonly Leak[];
}

/** @throws DataError if the splits' classes differ (both lists are shown), or a class has fewer images than labels are asked for */
export async function openEvaluationData(options: EvaluationDataOptions): Promise<OpenedData> {
  const { image, cropFraction, labels, seed, workers, prefetch } = options;
  const test = await openDataset(options.test);
  const train = options.train === undefined ? undefined : await openDataset(options.train);
  if (train !== undefined) checkSameClasses(train.classes, test.classes, test.name);
  const samples = train === undefined ? new Int32Array(0) : labelledSamples(Int32Array.from({ length: train.size }, (_, index) => train.label(index)), labels, seed);
  const leaks = train === undefined || options.leaks === undefined ? [] : await findLeaks(train, samples, test, options.leaks);
  const open = async (ref: DatasetRef, rest: Pick<LoaderOptions, 'batch' | 'augment' | 'shuffle' | 'subset' | 'cacheBytes'>): Promise<Loader> =>
    interruptible(await createLoader({ data: ref, image, seed, workers, prefetch, cacheBytes: options.cacheBytes ?? 0, ...rest }));
  const testFolder = async (path: string): Promise<TestFolder> => {
    const ref: DatasetRef = { dataset: 'imagefolder', path, split: 'test', testAlone: true, channels: image.channels === 1 ? 1 : 3 };
    const dataset = await openDataset(ref);
    return {
      classes: dataset.classes,
      size: dataset.size,
      firstImage: () => dataset.image(0),
      // Every image is read once: nothing is worth keeping.
      open: (batch, fraction = cropFraction) => open(ref, { batch, augment: { kind: 'none', cropFraction: fraction }, shuffle: false, cacheBytes: 0 }),
    };
  };
  return {
    leaks,
    data: {
      classes: test.classes,
      trainSize: samples.length,
      testSize: test.size,
      cropFraction,
      openTrain: async (request) => {
        if (options.train === undefined) throw new DataError('there are no labelled images', { place: 'train', remedy: `A protocol that asks for some must not say 'learns: false'.` });
        return open(options.train, labels === 'all' ? request : { ...request, subset: [...samples] });
      },
      openTest: (batch) => open(options.test, { batch, augment: { kind: 'none', cropFraction }, shuffle: false }),
      testFolder,
    },
  };
}
