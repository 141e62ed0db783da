import {
  composeRun,
  createObjective,
  definePlugin,
  defineWrapper,
  ENCODER,
  stackPlans,
  type Decoder,
  type Encoder,
  type HostTensor,
  type MethodPlugin,
  type NamedHostTensors,
  type Objective,
  type Sampler,
  type Target,
  type TokenPlan,
} from '@mimlab/core';
import { layerNorm, linear, linearParams, normParams, plainParam, scoredMean, squaredError, atCells, zeros } from '@mimlab/nn';
import { prMim, PrMimConfig, progressiveDecoder, progressiveOptions, type Merge, type ProgressiveOptions } from '@mimlab/pr-mim';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { entry, toMemory } from './mae-case.js';

/** Name of the branch, of its predicted values, and of the parameter that stands for the decoder's output. */
export const BRANCH = 'tokens';
export const VALUES = 'values';
export const DECODER_OUTPUT = 'dec_out';

/** Parameters of the host and the aggregation by the names that cases use. */
const CASE_NAMES = {
  [`prmim.${BRANCH}.conv.weight`]: 'conv.weight',
  [`prmim.${BRANCH}.conv.bias`]: 'conv.bias',
  'decoder_norm.weight': 'norm.weight',
  'decoder_norm.bias': 'norm.bias',
  'decoder_pred.weight': 'head.weight',
  'decoder_pred.bias': 'head.bias',
} as const;
export const caseName = (param: string): string => (CASE_NAMES as Record<string, string>)[param] ?? param;

/** Sizes of one configuration: batch, grid, channels, prediction size, kernel; visible, retained and thrown tokens. */
export interface Sizes {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly width: number;
  readonly values: number;
  readonly kernel: number;
  readonly visible: number;
  readonly retained: number;
  readonly thrown: number;
}
const NUMBERS = z.tuple([z.int(), z.int(), z.int(), z.int(), z.int(), z.int(), z.int(), z.int(), z.int()]);

export function sizesOf(config: HostTensor): Sizes {
  const [batch, rows, columns, width, values, kernel, visible, retained, thrown] = NUMBERS.parse([...config.data]);
  return { batch, rows, columns, width, values, kernel, visible, retained, thrown };
}

/** A method whose decoder output is a parameter and whose images are the targets, so that only what pr-mim adds is computed. */
function givenHost(sizes: Sizes): MethodPlugin {
  const { batch, rows, columns, width, values, visible, retained, thrown } = sizes;
  const grid = { rows, columns };
  const sampler: Sampler = {
    scope: 'image',
    counts: () => ({ visible, retained: retained + thrown, thrown: 0 }),
    sample: () => {
      throw new Error('the plans are given');
    },
  };
  const encoder: Encoder = { grid, features: {}, output: '', params: () => ({}), encode: () => ({}), macs: () => ({}) };
  const uniform = (): never => {
    throw new Error('the parameters are given');
  };
  const decoder: Decoder = {
    branches: [
      {
        name: BRANCH,
        width,
        cells: 'known',
        cls: true,
        heads: 1,
        tokenwise: true,
        convInit: { weight: () => uniform, bias: () => uniform },
        normParams: ['decoder_norm.weight', 'decoder_norm.bias'],
        headParams: ['decoder_pred.weight', 'decoder_pred.bias'],
      },
    ],
    params: () => ({
      [DECODER_OUTPUT]: plainParam([batch, 1 + visible + retained, width], zeros),
      ...normParams('decoder_norm', width),
      ...linearParams('decoder_pred', width, values),
    }),
    decode(_features, _plan, params) {
      const sequence = params[DECODER_OUTPUT] as Tensor3D;
      const known = visible + retained;
      return {
        [BRANCH]: {
          tokens_BSd: tf.slice(sequence, [0, 1, 0], [batch, known, width]),
          cells: 'known',
          cls_B1d: tf.slice(sequence, [0, 0, 0], [batch, 1, width]),
        },
      };
    },
    predict(_branch, { tokens_BSd, cells }, _plan, params) {
      const [images, tokens] = tokens_BSd.shape;
      const normed = layerNorm(tf.reshape(tokens_BSd, [images * tokens, width]), params, 'decoder_norm');
      return { values: { [VALUES]: tf.reshape(linear(normed, params, 'decoder_pred'), [images, tokens, values]) }, cells };
    },
    decodeMacs: () => ({}),
    predictMacs: () => ({}),
  };
  const target: Target = {
    spec: () => ({ [BRANCH]: { values, scale: 1, loss: 'mse' } }),
    targets: (images_BHWP) => ({ [BRANCH]: { [VALUES]: tf.reshape(images_BHWP, [batch, rows * columns, values]) } }),
    loss(predictions, targets, plan, scored_BN) {
      const { values: predicted, cells } = predictions[BRANCH] as (typeof predictions)[string];
      const wanted = atCells(targets[BRANCH]?.[VALUES] as Tensor3D, plan, cells);
      return scoredMean(squaredError(predicted[VALUES] as Tensor3D, wanted) as Tensor2D, cells, scored_BN, plan);
    },
  };
  return definePlugin({
    name: 'given',
    version: '0.1.0',
    core: '^0.1.0',
    paper: 'none',
    configSchema: z.unknown(),
    hooks: () => ({ sampler: () => sampler, encoder: () => encoder, decoder: () => decoder, target: () => target }),
  });
}

export type Mode = Merge | 'partial';
export const MODES: readonly Mode[] = ['thrown-only', 'residual', 'replace-all', 'partial'];

/** A configuration of a case under one mode. */
export interface ProgressiveRun {
  readonly sizes: Sizes;
  readonly objective: Objective;
  /** Undefined under partial reconstruction. */
  readonly options: ProgressiveOptions | undefined;
}

export function progressiveRun(sizes: Sizes, mode: Mode): ProgressiveRun {
  const { rows, columns, values, kernel, thrown } = sizes;
  const shared = { throw: thrown / (rows * columns), sampling: 'random' } as const;
  const config = PrMimConfig.parse(mode === 'partial' ? { ...shared, reconstruction: 'partial' } : { ...shared, merge: mode, aggregator: { kernel } });
  const plugin = mode === 'partial' ? prMim : aggregateAlways;
  const container = composeRun({
    image: { height: rows, width: columns, channels: values },
    method: { plugin: givenHost(sizes), config: {} },
    wrap: [{ plugin, config }],
  });
  return { sizes, objective: createObjective(container), options: progressiveOptions(config) };
}

/** Progressive reconstruction as pr-mim builds it, also for a case that throws nothing, where the wrapper would leave the method alone. */
const aggregateAlways = defineWrapper<PrMimConfig>({
  ...prMim,
  wrap(config) {
    const options = progressiveOptions(config) as ProgressiveOptions;
    return {
      ...prMim.wrap(config),
      decoder: (inner, container) => progressiveDecoder(inner, container.resolve(ENCODER).grid, options),
    };
  },
});

/** Inputs of a step: targets as images, and the given plans. */
export function inputsOf(tensors: NamedHostTensors, { rows, columns, batch, values }: Sizes): NamedHostTensors {
  const cells = (name: string, b: number): Int32Array => entry(tensors[name] as HostTensor, b).data as Int32Array;
  const plans = Array.from(
    { length: batch },
    (_, b): TokenPlan => ({
      grid: { rows, columns },
      visible: cells('ids_visible', b),
      retained: cells('ids_retained', b),
      thrown: cells('ids_thrown', b),
    }),
  );
  const target = tensors['target'] as HostTensor;
  return { images: { ...target, shape: [batch, rows, columns, values] }, ...stackPlans(plans) };
}

/** The parameters of a run in memory layout, from a case's `dec_out` and `param.*`. */
export function paramsOf(tensors: NamedHostTensors, { objective }: ProgressiveRun): Record<string, HostTensor> {
  const specs = objective.params();
  const named = Object.keys(specs).map((name): [string, HostTensor] => {
    const source = name === DECODER_OUTPUT ? DECODER_OUTPUT : `param.${caseName(name)}`;
    const tensor = tensors[source];
    if (tensor === undefined) throw new Error(`the case has no '${source}'`);
    return [name, tensor];
  });
  return toMemory(Object.fromEntries(named), specs);
}
