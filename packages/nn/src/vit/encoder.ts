import { cellsOf, part, type Encoder, type Grid, type ImageSpec, type Params, type ParamSpecs, type PlanTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { patchEmbedMacs, vitBlockMacs } from '../cost/vit.js';
import { patchGrid, patchify, patchValues, type PatchSize } from '../images/patchify.js';
import { checkHeads } from '../layers/attention.js';
import { classAttention } from '../layers/class-attention.js';
import { gatherRows } from '../layers/gather-rows.js';
import { layerNorm } from '../layers/layer-norm.js';
import { linear } from '../layers/linear.js';
import { vitBlocks } from '../layers/vit-block.js';
import { param } from '../params/lookup.js';
import { mlpWidth, normParams, patchEmbedParams, positionParam, tokenParam, vitBlocksParams } from '../params/specs.js';
import type { PositionLayout } from '../positions/sincos.js';
import { positionsOf, repeatToken, visibleInverse } from './tokens.js';

/**
 * `visible`: only visible patches meet the embedding product. `all`: every patch is embedded and the visible ones are
 * taken after it, as released codes do and papers count. The result is the same.
 */
export type EmbedPatches = 'visible' | 'all';

export interface VitEncoderOptions {
  readonly image: ImageSpec;
  readonly patch: PatchSize;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
  readonly embedPatches: EmbedPatches;
  readonly positions?: PositionLayout;
}

/** Name of the feature that a ViT encoder offers: class token, then the visible tokens, behind the final norm. */
export const LATENT = 'latent';

/**
 * Class token and visible patches, embedded, with their positions: what the first block gets.
 * @returns [B, 1 + V, D]
 */
export function embedVisible(images_BHWC: Tensor4D, plan: PlanTensors, params: Params, options: Pick<VitEncoderOptions, 'patch' | 'embedPatches'>): Tensor3D {
  const { visible } = plan.counts;
  const embedded = part('patch', () => {
    const patches = patchify(images_BHWC, options.patch);
    const take = (rows: Tensor2D): Tensor2D => gatherRows(rows, plan.visibleRows, visibleInverse(plan));
    return options.embedPatches === 'visible'
      ? linear(take(patches), params, 'patch_embed.proj')
      : take(linear(patches, params, 'patch_embed.proj'));
  });
  const tokens_BVD = tf.reshape(embedded, [plan.batch, visible, embedded.shape[1]]);
  const sequence = tf.concat([repeatToken(param(params, 'cls_token'), plan.batch, 1), tokens_BVD], 1);
  return tf.add(sequence, positionsOf(params, 'pos_embed', plan.visible_BV, true));
}

/**
 * `Encoder.classAttention` of anything that runs plain ViT blocks `blocks.0` to `blocks.(depth - 1)`: attention of the
 * class token in the last one.
 * @param sequence_BSD what the first block gets, class token first, [B, 1 + V, D]
 * @returns [B, heads, V]
 */
export function vitClassAttention(sequence_BSD: Tensor3D, params: Params, { depth, heads }: Pick<VitEncoderOptions, 'depth' | 'heads'>): Tensor3D {
  const [batch, tokens, width] = sequence_BSD.shape;
  const shape = { batch, tokens, heads };
  const rows = vitBlocks(tf.reshape(sequence_BSD, [batch * tokens, width]), params, 'blocks', depth - 1, shape);
  const last = `blocks.${depth - 1}`;
  return classAttention(linear(layerNorm(rows, params, `${last}.norm1`), params, `${last}.attn.qkv`), shape);
}

/** Parameters of a ViT encoder under the official names, in official order. */
export const vitEncoderParams = (options: Omit<VitEncoderOptions, 'embedPatches' | 'heads'>, grid: Grid): ParamSpecs => ({
  cls_token: tokenParam(options.width),
  pos_embed: positionParam(options.width, grid, { cls: true, ...(options.positions === undefined ? {} : { layout: options.positions }) }),
  ...patchEmbedParams('patch_embed.proj', options.patch, options.image.channels, options.width),
  ...vitBlocksParams('blocks', options.depth, options.width, options.mlpRatio),
  ...normParams('norm', options.width),
});

/**
 * The ViT encoder of MAE (also the trunk of MFF, LocalMIM and TEC): class token and visible tokens through all blocks
 * and the final norm. Source: official MAE, models_mae.py, forward_encoder.
 * @throws ConfigError if patch or heads do not fit.
 */
export function vitEncoder(options: VitEncoderOptions): Encoder {
  const { image, patch, width, depth, heads, mlpRatio } = options;
  const grid = patchGrid(image, patch);
  checkHeads(width, heads);
  return {
    grid,
    features: { [LATENT]: { width, cells: 'visible', cls: true } },
    output: LATENT,
    params: () => vitEncoderParams(options, grid),
    encode(images_BHWC, plan, params) {
      const sequence = embedVisible(images_BHWC, plan, params, options);
      const [batch, tokens] = sequence.shape;
      const rows = vitBlocks(tf.reshape(sequence, [batch * tokens, width]), params, 'blocks', depth, { batch, tokens, heads });
      return { [LATENT]: tf.reshape(layerNorm(rows, params, 'norm'), [batch, tokens, width]) };
    },
    classAttention: (images_BHWC, plan, params) => vitClassAttention(embedVisible(images_BHWC, plan, params, options), params, options),
    macs: ({ visible }) => ({
      patch: patchEmbedMacs(options.embedPatches === 'all' ? cellsOf(grid) : visible, patchValues(patch, image.channels), width),
      encoder: depth * vitBlockMacs(1 + visible, width, mlpWidth(width, mlpRatio) / width),
    }),
  };
}
