import {
  CompositionError,
  part,
  type Branch,
  type BranchTarget,
  type Decoder,
  type Encoder,
  type FeatureSpec,
  type Params,
  type PlanTensors,
} from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { linearMacs, vitBlockMacs } from '../cost/vit.js';
import { checkHeads } from '../layers/attention.js';
import { layerNorm } from '../layers/layer-norm.js';
import { linear } from '../layers/linear.js';
import { vitBlocks } from '../layers/vit-block.js';
import { torchUniform } from '../params/initializers.js';
import { param } from '../params/lookup.js';
import { linearParams, mlpWidth, normParams, positionParam, tokenParam, vitBlocksParams } from '../params/specs.js';
import type { PositionLayout } from '../positions/sincos.js';
import { positionsOf, repeatToken } from './tokens.js';

export interface VitDecoderOptions {
  readonly encoder: Encoder;
  /** Name of the encoder's feature to decode; its tokens must be the visible ones. */
  readonly feature: string;
  /** Name of its one branch. A target that asks for exactly one other branch gets it under that name instead. */
  readonly branch: string;
  /** Name of the predicted values in `Prediction.values`, where the target does not name them. */
  readonly values: string;
  /** What the run's target asks for, by branch. */
  readonly targets: Readonly<Record<string, BranchTarget>>;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
  readonly positions?: PositionLayout;
}

/**
 * What the first decoder block gets: embedded class token and visible tokens, then one mask token for each retained
 * cell, each with the position of its own cell. Attention does not care about order, so nothing is un-shuffled.
 * @param latent [B, (1 +) V, D]
 * @returns [B, (1 +) V + K, d]
 */
export function decoderInput(latent: Tensor3D, plan: PlanTensors, params: Params, cls: boolean): Tensor3D {
  const [batch, tokens, width] = latent.shape;
  const rows = part('decoderEmbed', () => linear(tf.reshape(latent, [batch * tokens, width]), params, 'decoder_embed'));
  const embedded = tf.reshape(rows, [batch, tokens, rows.shape[1]]) as Tensor3D;
  const seen = tf.add(embedded, positionsOf(params, 'decoder_pos_embed', plan.visible_BV, cls)) as Tensor3D;
  if (plan.counts.retained === 0) return seen;
  // Positions of hidden cells never meet the class token's row, which stands first in the table.
  const hidden = tf.add(hiddenPositions(params, plan, cls), repeatToken(param(params, 'mask_token'), 1, 1));
  return tf.concat([seen, hidden], 1) as Tensor3D;
}

function hiddenPositions(params: Params, plan: PlanTensors, cls: boolean): Tensor {
  const cells = cls ? (tf.add(plan.retained_BK, tf.scalar(1, 'int32')) as Tensor2D) : plan.retained_BK;
  return positionsOf(params, 'decoder_pos_embed', cells, false);
}

/**
 * The plain ViT decoder of MAE (MFF uses it as it is): `decode` gives the tokens behind the last block, `predict`
 * norms them and maps them to values. Source: official MAE, models_mae.py, forward_decoder.
 * @throws CompositionError if encoder or target do not fit.
 */
export function vitDecoder(options: VitDecoderOptions): Decoder {
  const { encoder, feature, width, depth, heads, mlpRatio } = options;
  const { cls, width: inputs } = visibleFeature(encoder, feature);
  const { grid } = encoder;
  const { name, values, output } = branchAsked(options);
  checkHeads(width, heads, 'decoderHeads');
  const front = cls ? 1 : 0;

  const branch: Branch = {
    name,
    width,
    cells: 'known',
    cls,
    heads,
    tokenwise: true,
    convInit: { weight: (kernel) => torchUniform(kernel * kernel), bias: (kernel) => torchUniform(kernel * kernel) },
    normParams: ['decoder_norm.weight', 'decoder_norm.bias'],
    headParams: ['decoder_pred.weight', 'decoder_pred.bias'],
    maskToken: (params) => tf.reshape(param(params, 'mask_token'), [width]),
    positions_Nd: (params) => {
      const table = param<Tensor3D>(params, 'decoder_pos_embed');
      return tf.reshape(tf.slice(table, [0, front, 0], [1, table.shape[1] - front, width]), [table.shape[1] - front, width]);
    },
  };

  return {
    branches: [branch],
    params: () => ({
      mask_token: tokenParam(width),
      decoder_pos_embed: positionParam(width, grid, { cls, ...(options.positions === undefined ? {} : { layout: options.positions }) }),
      ...linearParams('decoder_embed', inputs, width),
      ...vitBlocksParams('decoder_blocks', depth, width, mlpRatio),
      ...normParams('decoder_norm', width),
      ...linearParams('decoder_pred', width, values),
    }),

    decode(features, plan, params) {
      const sequence = decoderInput(features[feature] as Tensor3D, plan, params, cls);
      const [batch, tokens] = sequence.shape;
      const rows = vitBlocks(tf.reshape(sequence, [batch * tokens, width]), params, 'decoder_blocks', depth, { batch, tokens, heads });
      const decoded = tf.reshape(rows, [batch, tokens, width]) as Tensor3D;
      if (!cls) return { [name]: { tokens_BSd: decoded, cells: 'known' } };
      return {
        [name]: {
          tokens_BSd: tf.slice(decoded, [0, 1, 0], [batch, tokens - 1, width]),
          cells: 'known',
          cls_B1d: tf.slice(decoded, [0, 0, 0], [batch, 1, width]),
        },
      };
    },

    predict(_branch, set, _plan, params) {
      const { tokens_BSd, cls_B1d, cells } = set;
      const sequence = cls_B1d === undefined ? tokens_BSd : tf.concat([cls_B1d, tokens_BSd], 1);
      const [batch, tokens] = sequence.shape;
      const rows = layerNorm(tf.reshape(sequence, [batch * tokens, width]), params, 'decoder_norm');
      const predicted = tf.reshape(linear(rows, params, 'decoder_pred'), [batch, tokens, values]);
      const kept = cls_B1d === undefined ? predicted : tf.slice(predicted, [0, 1, 0], [batch, tokens - 1, values]);
      return { values: { [output]: kept }, cells };
    },

    decodeMacs: ({ visible, retained }) => ({
      decoderEmbed: linearMacs(front + visible, inputs, width),
      decoder: depth * vitBlockMacs(front + visible + retained, width, mlpWidth(width, mlpRatio) / width),
    }),
    predictMacs: (_branch, tokens) => ({ head: linearMacs(tokens, width, values) }),
  };
}

/** What an encoder says of a feature of its visible tokens. @throws CompositionError naming what it offers, if it has none such. */
export function visibleFeature(encoder: Encoder, feature: string): FeatureSpec {
  const spec = encoder.features[feature];
  if (spec?.cells === 'visible') return spec;
  const offered = Object.entries(encoder.features).map(([name, { cells }]) => `${name} (${cells})`);
  throw new CompositionError(`the decoder reads the feature '${feature}' of visible tokens, the encoder offers ${offered.join(', ') || 'none'}`, {
    place: 'hooks.encoder',
    remedy: 'Take encoder and decoder from plugins that fit each other.',
  });
}

/** What the one branch of the decoder is called, how many values a token it predicts, and under which name. */
function branchAsked({ targets, branch, values }: VitDecoderOptions): { readonly name: string; readonly values: number; readonly output: string } {
  const needed = Object.entries(targets).filter(([, { optional }]) => optional !== true);
  const name = branch in targets ? branch : needed.length === 1 ? (needed[0]?.[0] as string) : undefined;
  const asked = name === undefined ? undefined : targets[name];
  if (name === undefined || asked === undefined || needed.some(([other]) => other !== name)) {
    throw new CompositionError(`the target asks for branches [${Object.keys(targets).join(', ')}], the decoder offers [${branch}]`, {
      place: 'hooks.target',
      remedy: 'Take target and decoder from plugins whose branches agree.',
    });
  }
  if (asked.scale !== 1) {
    throw new CompositionError(`the target asks for predictions at scale ${asked.scale} on '${name}', the decoder makes one a token`, {
      place: 'hooks.target',
      remedy: 'Take a decoder that predicts at this scale.',
    });
  }
  return { name, values: asked.values, output: asked.output ?? values };
}
