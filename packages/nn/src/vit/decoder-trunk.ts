import { part, type Branch, type Grid, type MacParts, type Params, type ParamSpecs, type PlanCounts, type PlanTensors, type TokenSet } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { linearMacs, vitBlockMacs } from '../cost/vit.js';
import { checkHeads } from '../layers/attention.js';
import { lookupRows } from '../layers/gather-rows.js';
import { linear } from '../layers/linear.js';
import { vitBlocks } from '../layers/vit-block.js';
import { torchUniform } from '../params/initializers.js';
import { param } from '../params/lookup.js';
import { linearParams, mlpWidth, normParams, positionParam, tokenParam, vitBlocksParams } from '../params/specs.js';
import type { PositionLayout } from '../positions/sincos.js';

/** What the parameters of a decoder are called. */
export interface DecoderNames {
  readonly maskToken: string;
  readonly positions: string;
  readonly embed: string;
  readonly blocks: string;
  readonly norm: string;
}

/** Names of MAE's decoder, which has one branch. */
export const MAE_DECODER: DecoderNames = { maskToken: 'mask_token', positions: 'decoder_pos_embed', embed: 'decoder_embed', blocks: 'decoder_blocks', norm: 'decoder_norm' };

export interface DecoderTrunkOptions {
  readonly names: DecoderNames;
  /** Grid of the plans. */
  readonly grid: Grid;
  /** Width of the tokens that come in. */
  readonly inputs: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
  /** A class token comes in first. */
  readonly cls: boolean;
  /** Tokens along the side of a cell, default 1. More of them travel side by side, as one row of a cell, in raster order; without class token. */
  readonly side?: number;
  readonly positions?: PositionLayout;
}

/** Everything of a ViT decoder between an encoder's feature and the final norm. */
export interface DecoderTrunk {
  /** Mask token, positions, embedding, blocks and norm, official order. */
  params(): ParamSpecs;
  /**
   * Tokens behind the last block, the class token apart.
   * @param latent [B, (1 +) V, side^2 D]
   */
  decode(latent: Tensor3D, plan: PlanTensors, params: Params): TokenSet;
  decodeMacs(counts: PlanCounts): MacParts;
  /** What wrappers need to know of a branch that predicts from these tokens, one by one. */
  branch(name: string, headParams: readonly string[]): Branch;
}

/**
 * What the first block gets: embedded class token and visible tokens, then one mask token for each token of a retained cell, each
 * with the position of its own. Attention does not care about order, so nothing is un-shuffled.
 * @param latent [B, (1 +) V, side^2 D]
 * @returns [B, (1 +) (V + K) side^2, d]
 */
export function decoderInput(latent: Tensor3D, plan: PlanTensors, params: Params, cls: boolean, names: DecoderNames = MAE_DECODER, side = 1): Tensor3D {
  const { batch, grid, counts } = plan;
  const area = side ** 2;
  const rows = tf.reshape(latent, [-1, latent.shape[2] / area]) as Tensor2D;
  const embedded = part('decoderEmbed', () => linear(rows, params, names.embed));
  const width = embedded.shape[1];
  const table = cellPositions(param<Tensor3D>(params, names.positions), grid, side);
  /** With the positions of these rows of the table. */
  const placed = (tokens: Tensor, rowsOfTable: Tensor2D): Tensor3D =>
    tf.add(tokens, tf.reshape(lookupRows(table, tf.reshape(rowsOfTable, [-1])), [batch, rowsOfTable.shape[1] * area, width]));
  /** The class token's row stands first in the table. */
  const rowsOf = (cells: Tensor2D): Tensor2D => (cls ? tf.add(cells, tf.scalar(1, 'int32')) : cells);
  const first = cls ? (tf.concat([tf.zeros([batch, 1], 'int32'), rowsOf(plan.visible_BV)], 1) as Tensor2D) : plan.visible_BV;
  const seen = placed(tf.reshape(embedded, [batch, -1, width]), first);
  if (counts.retained === 0) return seen;
  return tf.concat([seen, placed(tf.reshape(param(params, names.maskToken), [1, 1, width]), rowsOf(plan.retained_BK))], 1) as Tensor3D;
}

/** Position rows of each cell's tokens side by side, [(1 +) N, side^2 d], of a table over all tokens. */
function cellPositions(table: Tensor3D, { rows, columns }: Grid, side: number): Tensor2D {
  const [, size, width] = table.shape;
  if (side === 1) return tf.reshape(table, [size, width]);
  const split = tf.reshape(table, [rows, side, columns, side * width]);
  return tf.reshape(tf.transpose(split, [0, 2, 1, 3]), [rows * columns, side * side * width]);
}

/** @throws ConfigError if heads do not divide the width. */
export function decoderTrunk({ names, grid, inputs, width, depth, heads, mlpRatio, cls, side = 1, positions }: DecoderTrunkOptions): DecoderTrunk {
  checkHeads(width, heads, 'decoderHeads');
  const front = cls ? 1 : 0;
  const area = side ** 2;
  const fine: Grid = { rows: grid.rows * side, columns: grid.columns * side };
  return {
    params: () => ({
      [names.maskToken]: tokenParam(width),
      [names.positions]: positionParam(width, fine, { cls, ...(positions === undefined ? {} : { layout: positions }) }),
      ...linearParams(names.embed, inputs, width),
      ...vitBlocksParams(names.blocks, depth, width, mlpRatio),
      ...normParams(names.norm, width),
    }),
    decode(latent, plan, params) {
      const sequence = decoderInput(latent, plan, params, cls, names, side);
      const [batch, tokens] = sequence.shape;
      const rows = vitBlocks(tf.reshape(sequence, [batch * tokens, width]), params, names.blocks, depth, { batch, tokens, heads });
      const decoded = tf.reshape(rows, [batch, front + (tokens - front) / area, area * width]) as Tensor3D;
      if (!cls) return { tokens_BSd: decoded, cells: 'known' };
      return { tokens_BSd: tf.slice(decoded, [0, 1, 0], [batch, tokens - 1, width]), cells: 'known', cls_B1d: tf.slice(decoded, [0, 0, 0], [batch, 1, width]) };
    },
    decodeMacs: ({ visible, retained }) => ({
      decoderEmbed: linearMacs(front + visible * area, inputs, width),
      decoder: depth * vitBlockMacs(front + (visible + retained) * area, width, mlpWidth(width, mlpRatio) / width),
    }),
    branch: (name, headParams) => ({
      name,
      width: area * width,
      cells: 'known',
      cls,
      heads,
      tokenwise: true,
      convInit: { weight: (kernel) => torchUniform(kernel * kernel), bias: (kernel) => torchUniform(kernel * kernel) },
      normParams: Object.keys(normParams(names.norm, width)),
      headParams,
      ...(side === 1
        ? {
            maskToken: (params: Params) => tf.reshape(param(params, names.maskToken), [width]),
            positions_Nd(params: Params): Tensor2D {
              const table = param<Tensor3D>(params, names.positions);
              const cells = table.shape[1] - front;
              return tf.reshape(tf.slice(table, [0, front, 0], [1, cells, width]), [cells, width]);
            },
          }
        : {}),
    }),
  };
}
