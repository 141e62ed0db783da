import * as tf from '@tensorflow/tfjs-core';
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { cellsOf, type Grid } from './image.js';
import type { Decoder, Encoder, Sampler, Target } from './hooks/index.js';
import type { ParamSpec, Params } from './params.js';
import { composeRun } from './plugin/compose-run.js';
import { definePlugin } from './plugin/define-plugin.js';
import { ENCODER, IMAGE } from './plugin/hook-tokens.js';

/** The smallest method there is: a token is a pixel, every hidden pixel is guessed to be one learnt grey. */
export const tinyImage = { height: 2, width: 2, channels: 1 };

const scalar = (value: number): ParamSpec => ({ shape: [1], trainable: true, layout: { kind: 'same' }, init: () => Float32Array.of(value) });
const get = (params: Params, name: string): tf.Tensor => params[name] as tf.Tensor;

export const tinySampler = (visible: number): Sampler => ({
  scope: 'image',
  counts: (grid) => ({ visible, retained: cellsOf(grid) - visible, thrown: 0 }),
  sample({ grid, streams }) {
    const order = streams.mask.permutation(cellsOf(grid));
    return { grid, visible: order.slice(0, visible), retained: order.slice(visible), thrown: new Int32Array(0) };
  },
});

export const tinyEncoder = (grid: Grid): Encoder => ({
  grid,
  features: { tokens: { width: 1, cells: 'visible', cls: false } },
  output: 'tokens',
  params: () => ({ 'encoder.scale': scalar(2) }),
  randomInputs: (batch) => ({ noise: { shape: [batch], distribution: 'normal' } }),
  encode(images_BHWC, plan, params) {
    const rows = tf.gather(images_BHWC.reshape([-1, 1]), plan.visibleRows);
    return { tokens: tf.mul(rows, get(params, 'encoder.scale')).reshape([plan.batch, plan.counts.visible, 1]) };
  },
  macs: ({ visible }) => ({ encoder: visible }),
});

export const tinyDecoder = (values: number): Decoder => ({
  branches: [{ name: 'pixels', width: 1, cells: 'known', cls: false, heads: 1, tokenwise: true, convInit: { weight: () => () => new Float32Array(0), bias: () => () => new Float32Array(0) }, normParams: [], headParams: ['head.weight'] }],
  params: () => ({ mask_token: scalar(3), 'head.weight': scalar(0.5) }),
  decode(features, plan, params) {
    const masks = tf.mul(tf.ones([plan.batch, plan.counts.retained, 1]), get(params, 'mask_token'));
    return { pixels: { cells: 'known', tokens_BSd: tf.concat([features['tokens'] as tf.Tensor, masks], 1) as Tensor3D } };
  },
  predict: (_, set, __, params) => ({ cells: set.cells, values: { pixels: tf.mul(set.tokens_BSd, get(params, 'head.weight')) } }),
  decodeMacs: ({ retained }) => ({ decoder: retained }),
  predictMacs: (_, tokens) => ({ head: tokens * values }),
});

export const tinyTarget: Target = {
  spec: () => ({ pixels: { values: 1, scale: 1, loss: 'mse' } }),
  hostTargets: { shapes: { mean: [1] }, compute: (pixels) => ({ mean: Float32Array.of(pixels.reduce((a, b) => a + b, 0) / pixels.length) }) },
  targets: (images_BHWC, plan) => ({ pixels: { pixels: images_BHWC.reshape([plan.batch, -1, 1]) } }),
  loss(predictions, targets, plan, scored_BN) {
    const { cells, values } = predictions['pixels'] as { cells: string; values: Record<string, tf.Tensor> };
    const rows = cells === 'retained' ? plan.retainedRows : plan.knownRows;
    const wanted = tf.gather((targets['pixels']?.['pixels'] as tf.Tensor).reshape([-1]), rows);
    const weights = tf.gather(scored_BN.reshape([-1]), rows);
    const errors = tf.square(tf.sub((values['pixels'] as tf.Tensor).reshape([-1]), wanted));
    const loss = tf.div(tf.sum(tf.mul(errors, weights)), tf.sum(weights)) as tf.Scalar;
    return { loss, parts: { retained: loss } };
  },
};

export const tiny = definePlugin({
  name: 'tiny',
  version: '0.1.0',
  core: '^0.1.0',
  paper: 'none',
  configSchema: z.strictObject({ visible: z.int().min(1).default(1) }),
  hooks: ({ visible }) => ({
    sampler: () => tinySampler(visible),
    encoder: (container) => {
      const { height, width } = container.resolve(IMAGE);
      return tinyEncoder({ rows: height, columns: width });
    },
    decoder: (container) => tinyDecoder(container.resolve(ENCODER).grid.rows > 0 ? 1 : 0),
    target: () => tinyTarget,
  }),
});

/** A run of the tiny method as it is. */
export const tinyRun = (visible = 1) => composeRun({ image: tinyImage, method: { plugin: tiny, config: { visible } } });

/** Initial values as tensors. */
export const initialParams = (specs: Readonly<Record<string, ParamSpec>>, random: Parameters<ParamSpec['init']>[1]): Params =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, tf.tensor(spec.init(spec.shape, random), [...spec.shape])]));
