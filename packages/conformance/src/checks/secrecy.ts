import type { Objective, ObjectiveOutcome } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { ensure, relativeDifference, type Check, type Examined } from '../check.js';
import { asObjectiveBatch, initialValues, makeBatch, objectiveOf, replaceHidden, testImage, toTensors, useCpu, type SubjectBatch } from '../subject.js';

/** Tells pictures that replace others from those that other checks make. */
const OTHER_PICTURES = 1000;

/** Features, predictions and targets of an evaluation by what a complaint calls them. */
const named = ({ features, predictions, targets }: ObjectiveOutcome): readonly (readonly [string, tf.Tensor])[] => [
  ...Object.entries(features).map(([name, tensor]) => [`feature '${name}'`, tensor] as const),
  ...Object.entries(predictions).flatMap(([branch, { values }]) => Object.entries(values).map(([name, tensor]) => [`prediction '${branch}.${name}'`, tensor] as const)),
  ...Object.entries(targets).flatMap(([branch, values]) => Object.entries(values).map(([name, tensor]) => [`target '${branch}.${name}'`, tensor] as const)),
];

/**
 * Evaluates two batches with the same parameters and plans, while training and while not, and compares what comes out.
 * @param part what of a tensor has to be the same; nothing where it may change
 */
async function compare(
  examined: Examined,
  objective: Objective,
  batches: readonly [SubjectBatch, SubjectBatch],
  part: (name: string, tensor: tf.Tensor) => ArrayLike<number>,
  complaint: (name: string, change: string) => string,
): Promise<void> {
  await useCpu();
  for (const training of [false, true]) {
    tf.tidy(() => {
      const params = toTensors(initialValues(objective, examined.settings.seed));
      const [before, after] = batches.map(({ inputs }) => named(objective.evaluate(asObjectiveBatch(toTensors(inputs), objective, examined), params, training)));
      before?.forEach(([name, tensor], index) => {
        const other = after?.[index]?.[1];
        const changed = other === undefined ? Infinity : relativeDifference(part(name, tensor), part(name, other));
        ensure(changed === 0, () => complaint(name, `${changed.toExponential(1)}${training ? ' while training' : ''}`));
      });
    });
  }
}

/** What must not reach the network: hidden pixels, and other images. */
export const secrecyChecks: readonly Check[] = [
  {
    name: 'no hidden pixel reaches its features or its predictions',
    run: async (examined) => {
      const objective = objectiveOf(examined);
      const { image, seed } = examined.settings;
      const altered = makeBatch(objective, examined, (pixels, plan, index) => {
        replaceHidden(objective, pixels, plan, testImage(image, seed, OTHER_PICTURES + index));
      });
      await compare(
        examined,
        objective,
        [makeBatch(objective, examined), altered],
        (name, tensor) => (name.startsWith('target') ? [] : tensor.dataSync()),
        (name, change) => `${name} changes by ${change} when only hidden pixels change: the network sees what it is to be asked`,
      );
    },
  },
  {
    name: 'what it says of an image is the same whatever the other images of the batch are',
    run: async (examined) => {
      const objective = objectiveOf(examined);
      const { batch, image, seed } = examined.settings;
      const altered = makeBatch(objective, examined, (pixels, _plan, index) => {
        if (index > 0) pixels.set(testImage(image, seed, OTHER_PICTURES + index));
      });
      await compare(
        examined,
        objective,
        [makeBatch(objective, examined), altered],
        // Row-major: the first image comes first.
        (_name, tensor) => tensor.dataSync().subarray(0, tensor.size / batch),
        (name, change) => `${name} of the first image changes by ${change} when only other images of the batch change: images are mixed up`,
      );
    },
  },
];
