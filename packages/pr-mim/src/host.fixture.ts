import '@tensorflow/tfjs';
import {
  composeRun,
  createObjective,
  definePlugin,
  ENCODER,
  IMAGE,
  planTensors,
  randomStream,
  stackPlans,
  TARGET,
  type Branch,
  type Decoder,
  type Grid,
  type MethodPlugin,
  type Objective,
  type ObjectiveBatch,
  type Params,
  type ParamSpecs,
  type PlanTensors,
  type TokenPlan,
} from '@mimlab/core';
import { LATENT, PATCHES, PIXELS, pixelTarget, randomMasking, vitDecoder, vitEncoder } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { PrMimConfig, type PrMimInput } from './config.js';
import { prMim } from './wrapper.js';

/** A tiny encoder-decoder method with a class token, for tests of the wrapper: patches of 2 x 2 grey pixels. */
export interface HostOptions {
  readonly grid?: Grid;
  readonly maskRatio?: number;
  /** Changes what the branch says of itself. */
  readonly branch?: (branch: Branch) => Branch;
}

const PATCH = { height: 2, width: 2 };
export const HOST_WIDTH = 8;
const HEADS = 2;
const DEPTH = 1;

export function hostPlugin({ maskRatio = 0.75, branch = (own) => own }: HostOptions = {}): MethodPlugin {
  return definePlugin({
    name: 'tiny-host',
    version: '0.1.0',
    core: '^0.1.0',
    paper: 'none',
    configSchema: z.unknown(),
    hooks: () => ({
      sampler: () => randomMasking({ maskRatio }),
      encoder: (container) =>
        vitEncoder({ image: container.resolve(IMAGE), patch: PATCH, width: 12, depth: 1, heads: 3, mlpRatio: 2, embedPatches: 'visible' }),
      decoder: (container): Decoder => {
        const encoder = container.resolve(ENCODER);
        const targets = container.resolve(TARGET).spec(encoder.grid);
        const made = vitDecoder({ encoder, feature: LATENT, branch: PIXELS, values: PATCHES, targets, width: HOST_WIDTH, depth: DEPTH, heads: HEADS, mlpRatio: 2 });
        return { ...made, branches: made.branches.map(branch) };
      },
      target: (container) => pixelTarget({ image: container.resolve(IMAGE), patch: PATCH, normPix: true }),
    }),
  });
}

export interface Run {
  readonly objective: Objective;
  readonly grid: Grid;
}

/** The host, wrapped if options are given. */
export function hostRun(wrap?: PrMimInput, options: HostOptions = {}): Run {
  const grid = options.grid ?? { rows: 4, columns: 4 };
  const container = composeRun({
    image: { height: grid.rows * PATCH.height, width: grid.columns * PATCH.width, channels: 1 },
    method: { plugin: hostPlugin(options), config: {} },
    wrap: wrap === undefined ? [] : [{ plugin: prMim, config: PrMimConfig.parse(wrap) }],
  });
  return { objective: createObjective(container), grid };
}

export const makeParams = (specs: ParamSpecs, seed = 1): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, tf.tensor(spec.init(spec.shape, randomStream(seed, 'init', name)), [...spec.shape])]));

/** As `makeParams`, with noise on everything trainable, so that no zero or one at the start hides an error. */
export const roughParams = (specs: ParamSpecs, seed = 1): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(makeParams(specs, seed)).map(([name, value]) => {
      const random = randomStream(seed, 'rough', name);
      const noise = Float32Array.from({ length: value.size }, () => 0.3 * random.normal());
      return [name, specs[name]?.trainable === true ? tf.add(value, tf.tensor(noise, value.shape)) : value];
    }),
  );

/** @param state what the sampler keeps of each sample, where it keeps anything */
export const samplePlans = ({ objective, grid }: Run, count: number, seed = 1, state?: (sampleId: number) => Float32Array): TokenPlan[] =>
  Array.from({ length: count }, (_, sampleId) =>
    objective.sampler.sample({
      grid,
      streams: { mask: randomStream(seed, 'mask', 0, sampleId), sample: randomStream(seed, 'sample', 0, sampleId) },
      sampleId,
      epoch: 0,
      crop: { top: 0, left: 0, height: 1, width: 1, sourceHeight: 1, sourceWidth: 1, flip: false },
      ...(state === undefined ? {} : { state: state(sampleId) }),
    }),
  );

export const planOf = (plans: readonly TokenPlan[], grid: Grid): PlanTensors =>
  planTensors(
    Object.fromEntries(Object.entries(stackPlans(plans)).map(([name, host]) => [name, tf.tensor(host.data as Int32Array, [...host.shape], 'int32')])),
    grid,
  );

export const noise = (shape: readonly number[], ...labels: (string | number)[]): Tensor => {
  const random = randomStream('noise', ...labels);
  return tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()), [...shape]);
};

export function batchOf(run: Run, plans: readonly TokenPlan[], seed = 1): ObjectiveBatch {
  const { height, width, channels } = run.objective.image;
  return { images_BHWC: noise([plans.length, height, width, channels], 'images', seed) as Tensor4D, plan: planOf(plans, run.grid) };
}

/** Loss and the gradient of every trainable parameter, as plain numbers. */
export function lossAndGradients(objective: Objective, batch: ObjectiveBatch, params: Params): { loss: number; gradients: Record<string, Float32Array> } {
  const specs = objective.params();
  const names = Object.keys(specs).filter((name) => specs[name]?.trainable);
  const { value, grads } = tf.valueAndGrads((...values: Tensor[]) => {
    const live = { ...params, ...Object.fromEntries(names.map((name, i) => [name, values[i] as Tensor])) };
    return objective.evaluate(batch, live, true).loss as Scalar;
  })(names.map((name) => params[name] as Tensor));
  return { loss: value.dataSync()[0] as number, gradients: Object.fromEntries(names.map((name, i) => [name, grads[i]?.dataSync() as Float32Array])) };
}

export const largest = (values: ArrayLike<number>): number => Array.from(values).reduce((max, value) => Math.max(max, Math.abs(value)), 0);
