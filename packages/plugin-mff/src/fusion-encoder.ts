import { addMacs, type Encoder, type Params, type ParamSpecs } from '@mimlab/core';
import { LATENT, layerNorm, linear, linearParams, mffFusionMacs, normal, ones, param, plainParam, vitEncoderRead, type VitEncoderOptions } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor2D } from '@tensorflow/tfjs-core';

/** The feature behind the final norm of the last block alone, without fusion. */
export const PLAIN = 'plain';

export interface FusionEncoderOptions extends VitEncoderOptions {
  /** Ids of the blocks to fuse, ascending, the last block last. */
  readonly blocks: readonly number[];
  /** The feature that evaluation reads. */
  readonly output: typeof LATENT | typeof PLAIN;
}

const WEIGHTS = 'proj_weights';
const projection = (level: number): string => `proj_layers.${level}`;

/** Shares of the levels: softmax over one number a level, [levels]. */
const shares = (params: Params): Tensor2D => tf.softmax(tf.reshape(param(params, WEIGHTS), [1, -1])) as Tensor2D;

/**
 * A ViT encoder whose result is a learned mixture of several blocks' outputs: latent = norm(sum_j softmax(w)_j
 * P_j(h_j)), P_j a linear map for every level but the last, which stays as it is. Outputs are taken raw, class token
 * included; the one norm stands behind the sum. Source: mmpretrain, MFFViT.
 * Features: `latent`, fused; `plain`, the last block alone through the same norm, as published evaluations read it.
 * @throws ConfigError if patch or heads do not fit.
 */
export function fusionEncoder(options: FusionEncoderOptions): Encoder {
  const { width, blocks, output } = options;
  const projections = blocks.length - 1;
  const encoder = vitEncoderRead(options, {
    features: [LATENT, PLAIN],
    output,
    params: (plain) => ({
      ...withNoisyMlpBiases(plain),
      // A single level has nothing to be weighed against: its weight would get no gradient.
      [WEIGHTS]: { ...plainParam([blocks.length, 1, 1, 1], ones), trainable: projections > 0 },
      ...(Object.assign({}, ...Array.from({ length: projections }, (_, level) => linearParams(projection(level), width, width))) as ParamSpecs),
    }),
    read(outputs, params) {
      const levels = blocks.map((block, level) => {
        const rows = outputs[block] as Tensor2D;
        return level < projections ? linear(rows, params, projection(level)) : rows;
      });
      const weights = tf.split(shares(params), blocks.length, 1);
      const fused = levels.map((rows, level) => tf.mul(rows, weights[level] as Tensor2D)).reduce((sum, rows) => tf.add(sum, rows)) as Tensor2D;
      return { [LATENT]: layerNorm(fused, params, 'norm'), [PLAIN]: layerNorm(outputs.at(-1) as Tensor2D, params, 'norm') };
    },
  });
  return {
    ...encoder,
    watch(params) {
      const weights = tf.unstack(tf.reshape(shares(params), [-1])) as Scalar[];
      return Object.fromEntries(weights.map((weight, level) => [`fusion.${level}`, weight]));
    },
    macs: (counts) => addMacs(encoder.macs(counts), { encoder: mffFusionMacs(1 + counts.visible, width, projections) }),
  };
}

/** mmpretrain starts the biases of the encoder's MLPs at normal(0, 1e-6) where MAE has zeros. */
const withNoisyMlpBiases = (specs: ParamSpecs): ParamSpecs =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, /\.mlp\.fc\d\.bias$/.test(name) ? { ...spec, init: normal(1e-6) } : spec]));
