import '@tensorflow/tfjs';
import {
  composeRun,
  createObjective,
  planTensors,
  randomStream,
  stackPlans,
  type Objective,
  type ObjectiveBatch,
  type Params,
  type ParamSpecs,
  type TokenPlan,
} from '@mimlab/core';
import { mae, MaeConfig } from '@mimlab/plugin-mae';
import { prMim, PrMimConfig, type PrMimInput } from '@mimlab/pr-mim';
import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';

const IMAGES = 2;
const SEED = 11;
/** 6 x 5 tokens of 2 x 2 pixels: nothing may depend on a square grid. */
const image = { height: 12, width: 10, channels: 3 };
export const MAE = { patchSize: 2, width: 16, depth: 2, heads: 2, decoderWidth: 12, decoderDepth: 2, decoderHeads: 3 } as const;

/** A tiny MAE, wrapped or not, with plans, images and parameters that depend on nothing but names and seed. */
export interface MaeSetting {
  readonly objective: Objective;
  readonly plans: readonly TokenPlan[];
  readonly batch: ObjectiveBatch;
  readonly params: Params;
}

export function maeSetting(wrap?: PrMimInput): MaeSetting {
  const wrappers = wrap === undefined ? [] : [{ plugin: prMim, config: PrMimConfig.parse(wrap) }];
  const objective = createObjective(composeRun({ image, method: { plugin: mae, config: MaeConfig.parse(MAE) }, wrap: wrappers }));
  const crop = { top: 0, left: 0, height: 1, width: 1, sourceHeight: 1, sourceWidth: 1, flip: false };
  const plans = Array.from({ length: IMAGES }, (_, sampleId) => {
    const streams = { mask: randomStream(SEED, 'mask', 0, sampleId), sample: randomStream(SEED, 'sample', 0, sampleId) };
    return objective.sampler.sample({ grid: objective.grid, streams, sampleId, epoch: 0, crop });
  });
  return { objective, plans, batch: batchOf(objective, plans), params: roughParams(objective.params()) };
}

export function batchOf(objective: Objective, plans: readonly TokenPlan[]): ObjectiveBatch {
  const stacked = Object.entries(stackPlans(plans)).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], 'int32')]);
  const pixels = randomStream(SEED, 'pixels');
  const shape: [number, number, number, number] = [plans.length, image.height, image.width, image.channels];
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => pixels.normal());
  return { images_BHWC: tf.tensor4d(values, shape), plan: planTensors(Object.fromEntries(stacked), objective.grid) };
}

/** Initial values with noise on everything trainable, so that no zero or one at the start hides an error. */
const roughParams = (specs: ParamSpecs): Params =>
  Object.fromEntries(
    Object.entries(specs).map(([name, { init, shape, trainable }]) => {
      const random = randomStream(SEED, 'rough', name);
      const values = init(shape, randomStream(SEED, 'init', name));
      return [name, tf.tensor(trainable ? values.map((value) => value + 0.2 * random.normal()) : values, [...shape])];
    }),
  );

export interface Learned {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Float32Array>>;
}

/** Loss and the gradient of every trainable parameter. */
export function learn({ objective, batch, params }: MaeSetting): Learned {
  const specs = objective.params();
  const names = Object.keys(specs).filter((name) => specs[name]?.trainable === true);
  const { value, grads } = tf.valueAndGrads(() => objective.evaluate(batch, params, true).loss as Scalar)(names.map((name) => params[name] as Tensor));
  return { loss: value.dataSync()[0] as number, gradients: Object.fromEntries(names.map((name, i) => [name, (grads[i] as Tensor).dataSync() as Float32Array])) };
}

export const largest = (values: ArrayLike<number>): number => Array.from(values).reduce((max, value) => Math.max(max, Math.abs(value)), 0);

/** Largest difference between two gradients of the same names. */
export const gradientGap = (one: Learned, other: Learned): number =>
  Math.max(...Object.entries(one.gradients).map(([name, gradient]) => largest(gradient.map((value, i) => value - (other.gradients[name]?.[i] as number)))));
