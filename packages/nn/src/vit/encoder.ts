import { cellsOf, type Encoder, type Grid, type ImageSpec, type Params, type ParamSpecs, type PlanTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { patchEmbedMacs, vitBlockMacs } from '../cost/vit.js';
import { patchGrid, patchValues } from '../images/patchify.js';
import { checkHeads } from '../layers/attention.js';
import { classAttention } from '../layers/class-attention.js';
import { layerNorm } from '../layers/layer-norm.js';
import { blockQkv, vitBlockOutputs, vitBlocks, type StackRules } from '../layers/vit-block.js';
import { param } from '../params/lookup.js';
import { trunkParams } from '../params/trunk-params.js';
import { mlpWidth, normParams, patchEmbedParams, positionParam, tokenParam, vitBlocksParams } from '../params/specs.js';
import type { PositionLayout } from '../positions/sincos.js';
import { positionsOf, repeatToken } from './tokens.js';
import { visiblePatches, type EmbeddingOptions } from './visible-patches.js';

export interface VitEncoderOptions extends EmbeddingOptions {
  readonly image: ImageSpec;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
  readonly positions?: PositionLayout;
}

/** Name of the feature that a ViT encoder offers: class token, then the visible tokens, behind the final norm. */
export const LATENT = 'latent';

/** Name of the feature that is read in place `place` of `count`; the last one is the encoder's output. */
export const tapName = (place: number, count: number): string => (place === count - 1 ? LATENT : `tap${place}`);

/**
 * Class token and visible patches, embedded, with their positions: what the first block gets.
 * @returns [B, 1 + V, D]
 */
export function embedVisible(images_BHWC: Tensor4D, plan: PlanTensors, params: Params, options: EmbeddingOptions): Tensor3D {
  const tokens_BVD = visiblePatches(images_BHWC, plan, params, 'patch_embed.proj', options);
  const sequence = tf.concat([repeatToken(param(params, 'cls_token'), plan.batch, 1), tokens_BVD], 1);
  return tf.add(sequence, positionsOf(params, 'pos_embed', plan.visible_BV, true));
}

/**
 * `Encoder.classAttention` of anything that runs ViT blocks `BLOCKS.0` to `BLOCKS.(depth - 1)`: attention of the
 * class token in the last one.
 * @param sequence_BSD what the first block gets, class token first, [B, 1 + V, D]
 * @returns [B, heads, V]
 */
export function vitClassAttention(sequence_BSD: Tensor3D, params: Params, { depth, heads }: Pick<VitEncoderOptions, 'depth' | 'heads'>, blocks = 'blocks', rules: StackRules = () => ({})): Tensor3D {
  const [batch, tokens, width] = sequence_BSD.shape;
  const shape = { batch, tokens, heads };
  const rows = vitBlocks(tf.reshape(sequence_BSD, [batch * tokens, width]), params, blocks, depth - 1, shape, rules);
  return classAttention(blockQkv(rows, params, `${blocks}.${depth - 1}`), shape, rules(depth - 1).bias_Ghnn);
}

/** Parameters of a ViT encoder under the official names, in official order. */
export const vitEncoderParams = (options: Omit<VitEncoderOptions, 'embedPatches' | 'heads'>, grid: Grid): ParamSpecs => ({
  cls_token: tokenParam(options.width),
  pos_embed: positionParam(options.width, grid, { cls: true, ...(options.positions === undefined ? {} : { layout: options.positions }) }),
  ...patchEmbedParams('patch_embed.proj', options.patch, options.image.channels, options.width),
  ...vitBlocksParams('blocks', options.depth, options.width, options.mlpRatio),
  ...normParams('norm', options.width),
});

/** What is read off the blocks of a ViT. */
export interface VitReading {
  /** Names of the features; each holds class token and visible tokens. */
  readonly features: readonly string[];
  /** The feature that evaluation reads. */
  readonly output: string;
  /** All parameters, from those of the plain encoder. */
  params(plain: ParamSpecs): ParamSpecs;
  /** Every feature, from what each block gives. Rows [B (1 + V), D]. */
  read(outputs_MD: readonly Tensor2D[], params: Params): Readonly<Record<string, Tensor2D>>;
}

/**
 * An encoder of plain ViT blocks on class token and visible tokens, read as `reading` says.
 * @throws ConfigError if patch or heads do not fit.
 */
export function vitEncoderRead(options: VitEncoderOptions, reading: VitReading): Encoder {
  const { image, patch, width, depth, heads, mlpRatio } = options;
  const grid = patchGrid(image, patch);
  checkHeads(width, heads);
  return {
    grid,
    features: Object.fromEntries(reading.features.map((name) => [name, { width, cells: 'visible', cls: true }])),
    output: reading.output,
    trunk: { architecture: { kind: 'vit', patch, width, depth, heads, mlpRatio }, params: (params) => trunkParams(params) },
    params: () => reading.params(vitEncoderParams(options, grid)),
    encode(images_BHWC, plan, params) {
      const sequence = embedVisible(images_BHWC, plan, params, options);
      const [batch, tokens] = sequence.shape;
      const outputs = vitBlockOutputs(tf.reshape(sequence, [batch * tokens, width]), params, 'blocks', depth, { batch, tokens, heads });
      return Object.fromEntries(Object.entries(reading.read(outputs, params)).map(([name, rows]) => [name, tf.reshape(rows, [batch, tokens, width])]));
    },
    classAttention: (images_BHWC, plan, params) => vitClassAttention(embedVisible(images_BHWC, plan, params, options), params, options),
    macs: ({ visible }) => ({
      patch: patchEmbedMacs(options.embedPatches === 'all' ? cellsOf(grid) : visible, patchValues(patch, image.channels), width),
      encoder: depth * vitBlockMacs(1 + visible, width, mlpWidth(width, mlpRatio) / width),
    }),
  };
}

/**
 * The ViT encoder of MAE: class token and visible tokens through all blocks and the final norm.
 * Source: official MAE, models_mae.py, forward_encoder.
 * @throws ConfigError if patch or heads do not fit.
 */
export const vitEncoder = (options: VitEncoderOptions): Encoder =>
  vitEncoderRead(options, {
    features: [LATENT],
    output: LATENT,
    params: (plain) => plain,
    read: (outputs, params) => ({ [LATENT]: layerNorm(outputs.at(-1) as Tensor2D, params, 'norm') }),
  });

/**
 * The same, read in several places: behind each tapped block, through a norm `norm.0`, `norm.1`, ... of its own. The stream
 * itself goes on without any norm. Source: official LocalMIM, models_mim.py, forward_encoder.
 * @param taps after how many blocks to read, ascending; the last after all of them
 */
export function tappedVitEncoder(options: VitEncoderOptions, taps: readonly number[]): Encoder {
  const names = taps.map((_, place) => tapName(place, taps.length));
  return vitEncoderRead(options, {
    features: names,
    output: LATENT,
    params: (plain) => ({
      ...Object.fromEntries(Object.entries(plain).filter(([name]) => !name.startsWith('norm.'))),
      ...(Object.assign({}, ...taps.map((_, place) => normParams(`norm.${place}`, options.width))) as ParamSpecs),
    }),
    read: (outputs, params) =>
      Object.fromEntries(taps.map((tap, place) => [names[place] as string, layerNorm(outputs[tap - 1] as Tensor2D, params, `norm.${place}`)])),
  });
}
