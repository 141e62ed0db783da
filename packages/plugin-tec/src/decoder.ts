import { CompositionError, type Branch, type BranchTarget, type Decoder, type Encoder, type Params, type ParamSpecs, type TokenSet } from '@mimlab/core';
import {
  checkHeads,
  decoderInput,
  LATENT,
  layerNorm,
  linear,
  linearMacs,
  linearParams,
  mlpWidth,
  normParams,
  param,
  positionParam,
  tokenParam,
  torchUniform,
  visibleFeature,
  vitBlockMacs,
  vitBlocks,
  vitBlocksParams,
} from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { ADAPTED } from './encoder.js';

/** Branches, and the names of what they predict. */
export const FEATURE = 'feature';
export const ATTENTION = 'attention';
/** [B, tokens, Ct]. */
export const FEATURES = 'features';
/** Queries and keys of patches, [B, tokens, 2 * Ct], laid out [q | k], heads side by side inside each. */
export const QUERIES_KEYS = 'queriesKeys';
/** The same of the class token, [B, 1, 2 * Ct]. */
export const CLASS_QUERY = 'classQuery';

/** Names of the official state dict. */
const PREFIX: Readonly<Record<string, string>> = { [FEATURE]: 'forward_fea_decoder', [ATTENTION]: 'forward_att_decoder' };
const HEAD: Readonly<Record<string, string>> = { [FEATURE]: 'decoder_pred', [ATTENTION]: 'decoder_qk' };

export interface TecDecoderOptions {
  readonly encoder: Encoder;
  /** What the run's target asks for, by branch. Branches that it does not ask for are not built. */
  readonly targets: Readonly<Record<string, BranchTarget>>;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
}

/**
 * TEC's decoder: two passes, `feature` and `attention`, through the same blocks and the same position table, each with
 * an embedding, mask token, norm and head of its own. Source: official TEC, forward_fea_decoder and forward_att_decoder.
 * Reads the encoder's `adapted` feature, or `latent` of an encoder without adapters.
 * @throws CompositionError if encoder or target do not fit.
 */
export function tecDecoder({ encoder, targets, width, depth, heads, mlpRatio }: TecDecoderOptions): Decoder {
  const feature = ADAPTED in encoder.features ? ADAPTED : LATENT;
  const { cls, width: inputs } = visibleFeature(encoder, feature);
  const names = branchesAsked(targets, cls);
  checkHeads(width, heads, 'decoderHeads');
  const front = cls ? 1 : 0;
  const values = (name: string): number => (targets[name] as BranchTarget).values;
  const own = (name: string, inner: string): string => `${PREFIX[name] as string}.${inner}`;
  const head = (name: string): string => own(name, HEAD[name] as string);

  /** The pass's own parameters under the names that a decoder of one branch uses. */
  const passParams = (params: Params, name: string): Params => ({
    ...params,
    ...Object.fromEntries(['mask_token', 'decoder_embed.weight', 'decoder_embed.bias'].map((inner) => [inner, param(params, own(name, inner))])),
  });

  const branchOf = (name: string): Branch => ({
    name,
    width,
    cells: 'known',
    cls,
    heads,
    // Attention pairs every query with the keys of all tokens, and asks for the class token's row as well.
    tokenwise: name === FEATURE,
    ...(name === ATTENTION ? { predictsCls: true } : {}),
    convInit: { weight: (kernel) => torchUniform(kernel * kernel), bias: (kernel) => torchUniform(kernel * kernel) },
    normParams: ['weight', 'bias'].map((inner) => own(name, `decoder_norm.${inner}`)),
    headParams: ['weight', 'bias'].map((inner) => `${head(name)}.${inner}`),
    maskToken: (params) => tf.reshape(param(params, own(name, 'mask_token')), [width]),
    positions_Nd: (params) => {
      const table = param<Tensor3D>(params, 'decoder_pos_embed');
      const cells = table.shape[1] - front;
      return tf.reshape(tf.slice(table, [0, front, 0], [1, cells, width]), [cells, width]);
    },
  });

  return {
    branches: names.map(branchOf),
    params: (): ParamSpecs => ({
      decoder_pos_embed: positionParam(width, encoder.grid, { cls }),
      ...(Object.assign(
        {},
        ...names.map((name) => ({
          [own(name, 'mask_token')]: tokenParam(width),
          ...linearParams(own(name, 'decoder_embed'), inputs, width),
          ...normParams(own(name, 'decoder_norm'), width),
          ...linearParams(head(name), width, values(name)),
        })),
      ) as ParamSpecs),
      ...vitBlocksParams('decoder_blocks', depth, width, mlpRatio),
    }),

    decode(features, plan, params) {
      const latent = features[feature] as Tensor3D;
      const passes = names.map((name) => decoderInput(latent, plan, passParams(params, name), cls));
      const [batch, tokens] = (passes[0] as Tensor3D).shape;
      // The blocks are shared: the passes go through them as one batch.
      const rows = tf.reshape(tf.concat(passes, 0), [names.length * batch * tokens, width]) as Tensor2D;
      const decoded = tf.reshape(vitBlocks(rows, params, 'decoder_blocks', depth, { batch: names.length * batch, tokens, heads }), [-1, tokens, width]) as Tensor3D;
      const setOf = (pass: number): TokenSet => ({
        tokens_BSd: tf.slice(decoded, [pass * batch, front, 0], [batch, tokens - front, width]),
        cells: 'known',
        ...(cls ? { cls_B1d: tf.slice(decoded, [pass * batch, 0, 0], [batch, 1, width]) } : {}),
      });
      return Object.fromEntries(names.map((name, pass) => [name, setOf(pass)]));
    },

    predict(name, { tokens_BSd, cls_B1d, cells }, _plan, params) {
      const sequence = cls_B1d === undefined ? tokens_BSd : tf.concat([cls_B1d, tokens_BSd], 1);
      const [batch, tokens] = sequence.shape;
      const normed = layerNorm(tf.reshape(sequence, [batch * tokens, width]), params, own(name, 'decoder_norm'));
      const predicted = tf.reshape(linear(normed, params, head(name)), [batch, tokens, values(name)]) as Tensor3D;
      const first = cls_B1d === undefined ? 0 : 1;
      const patches = first === 0 ? predicted : tf.slice(predicted, [0, first, 0], [batch, tokens - first, values(name)]);
      if (name === FEATURE) return { values: { [targets[name]?.output ?? FEATURES]: patches }, cells };
      return { values: { [QUERIES_KEYS]: patches, [CLASS_QUERY]: tf.slice(predicted, [0, 0, 0], [batch, 1, values(name)]) }, cells };
    },

    decodeMacs: ({ visible, retained }) => ({
      decoderEmbed: names.length * linearMacs(front + visible, inputs, width),
      decoder: names.length * depth * vitBlockMacs(front + visible + retained, width, mlpWidth(width, mlpRatio) / width),
    }),
    predictMacs: (name, tokens) => ({ head: linearMacs(tokens, width, values(name)) }),
  };
}

/** Those of our branches that the target asks for. */
function branchesAsked(targets: TecDecoderOptions['targets'], cls: boolean): string[] {
  const names = [FEATURE, ATTENTION].filter((name) => name in targets);
  const refuse = (problem: string, place: string, remedy: string): never => {
    throw new CompositionError(problem, { place, remedy });
  };
  if (names.length === 0) {
    refuse(`the target asks for branches [${Object.keys(targets).join(', ')}], the decoder offers [${FEATURE}, ${ATTENTION}]`, 'hooks.target', 'Take target and decoder from plugins whose branches agree.');
  }
  const scaled = names.find((name) => targets[name]?.scale !== 1);
  if (scaled !== undefined) {
    refuse(`the target asks for predictions at scale ${targets[scaled]?.scale} on '${scaled}', the decoder makes one a token`, 'hooks.target', 'Take a decoder that predicts at this scale.');
  }
  if (!cls && names.includes(ATTENTION)) {
    refuse('the attention branch asks from the class token, which the encoder does not have', 'hooks.encoder', `Take an encoder with a class token, or set targets: feature-only.`);
  }
  return names;
}
