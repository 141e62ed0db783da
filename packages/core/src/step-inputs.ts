import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { DataError } from './errors.js';
import { neutralState, type Target } from './hooks/index.js';
import type { Objective, ObjectiveBatch } from './objective.js';
import { auxSpecs, planSpecs, planTensors } from './plan/plan-batch.js';
import type { TokenPlan } from './plan/token-plan.js';
import { randomStream } from './random/stream.js';
import type { PixelStatistics } from './image.js';
import type { HostTensor, NamedTensors, TensorSpec } from './tensors.js';

/**
 * Names of a step's inputs: `images` (uint8, [B, H, W, C]), `plan.*` (see plan-batch.ts), `host.*` (host targets),
 * `random.*` (draws of the hooks).
 */
const HOST = 'host.';
const RANDOM = 'random.';

/**
 * A plan of the run's sampler, such as its first batch might get: for shapes and costs that depend on more than counts.
 * @param number tells examples apart
 */
export function examplePlan({ sampler, grid, image: { height, width } }: Pick<Objective, 'sampler' | 'grid' | 'image'>, number = 0): TokenPlan {
  const streams = { mask: randomStream('example', 'mask', number), sample: randomStream('example', 'sample', number) };
  const crop = { top: 0, left: 0, height, width, sourceHeight: height, sourceWidth: width, flip: false };
  return sampler.sample({ grid, streams, sampleId: number, epoch: 0, crop, ...neutralState(sampler, grid) });
}

/**
 * Shapes and types of every input of one training step over `batch` images.
 * @param plan a plan of the run, where plans carry arrays of their own (`aux`): shapes are those that this plan gives.
 */
export function stepInputSpecs(objective: Objective, batch: number, plan?: TokenPlan): Record<string, TensorSpec> {
  const { image, grid, sampler, target } = objective;
  const specs: Record<string, TensorSpec> = {
    images: { shape: [batch, image.height, image.width, image.channels], dtype: 'uint8' },
    ...planSpecs(batch, grid, sampler.counts(grid)),
    ...(plan === undefined ? {} : auxSpecs(plan, sampler.scope === 'batch' ? undefined : batch)),
  };
  for (const [name, shape] of Object.entries(target.hostTargets?.shapes ?? {})) specs[HOST + name] = { shape: [batch, ...shape], dtype: 'float32' };
  for (const [name, { shape }] of Object.entries(objective.randomInputs(batch))) specs[RANDOM + name] = { shape, dtype: 'float32' };
  return specs;
}

/**
 * The host targets of images as inputs of a step, one row an image.
 * @param images augmented images, uint8, [height, width, channels] each
 */
export function hostTargetInputs(target: Pick<Target, 'hostTargets'>, images: readonly Uint8Array[]): Record<string, HostTensor> {
  const { hostTargets } = target;
  if (hostTargets === undefined) return {};
  const computed = images.map((pixels) => hostTargets.compute(pixels));
  const stacked = Object.entries(hostTargets.shapes).map(([name, shape]): [string, HostTensor] => {
    const data = Float32Array.from(computed.flatMap((values) => [...(values[name] ?? [])]));
    return [HOST + name, { shape: [images.length, ...shape], dtype: 'float32', data }];
  });
  return Object.fromEntries(stacked);
}

/** Pixels 0..255 of any type to normalised float32: (x / 255 - mean) / std, channel by channel. */
export function normalizeImages(images_BHWC: Tensor, { mean, std }: PixelStatistics): Tensor4D {
  const scale = tf.tensor1d(std.map((deviation) => 1 / (255 * deviation)));
  const shift = tf.tensor1d(mean.map((value, channel) => -value / (std[channel] as number)));
  return tf.add(tf.mul(tf.cast(images_BHWC, 'float32'), scale), shift);
}

/** What the hooks get of a step's inputs. */
export function objectiveBatch(inputs: NamedTensors, objective: Objective, statistics: PixelStatistics): ObjectiveBatch {
  const { images } = inputs;
  if (images === undefined) throw new DataError(`the step has no input 'images'`);
  return {
    images_BHWC: normalizeImages(images, statistics),
    plan: planTensors(inputs, objective.grid),
    host: withPrefix(inputs, HOST),
    random: withPrefix(inputs, RANDOM),
  };
}

function withPrefix(inputs: NamedTensors, prefix: string): NamedTensors {
  const found = Object.entries(inputs).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}
