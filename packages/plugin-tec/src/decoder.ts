import { addMacs, CompositionError, type BranchTarget, type Decoder, type Encoder, type ParamSpecs } from '@mimlab/core';
import { decoderTrunk, LATENT, layerNorm, linear, linearMacs, linearParams, visibleFeature, type DecoderTrunk } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor3D } from '@tensorflow/tfjs-core';
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
const POSITIONS = 'decoder_pos_embed';
const BLOCKS = 'decoder_blocks';
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

/** One pass: what is its own, and blocks and positions that it shares with the other. */
interface Pass {
  readonly name: string;
  readonly trunk: DecoderTrunk;
  readonly norm: string;
  readonly head: string;
  readonly values: number;
}

/**
 * TEC's decoder: two passes, `feature` and `attention`, through the same blocks and the same position table, each with
 * an embedding, mask token, norm and head of its own. Source: official TEC, forward_fea_decoder and forward_att_decoder.
 * Reads the encoder's `adapted` feature, or `latent` of an encoder without adapters.
 * @throws CompositionError if encoder or target do not fit.
 */
export function tecDecoder({ encoder, targets, ...size }: TecDecoderOptions): Decoder {
  const feature = ADAPTED in encoder.features ? ADAPTED : LATENT;
  const { cls, width: inputs } = visibleFeature(encoder, feature);
  const passes = branchesAsked(targets, cls).map((name): Pass => {
    const own = (inner: string): string => `${PREFIX[name] as string}.${inner}`;
    const norm = own('decoder_norm');
    const names = { maskToken: own('mask_token'), positions: POSITIONS, embed: own('decoder_embed'), blocks: BLOCKS, norm };
    const trunk = decoderTrunk({ ...size, names, grid: encoder.grid, inputs, cls });
    return { name, trunk, norm, head: own(HEAD[name] as string), values: (targets[name] as BranchTarget).values };
  });
  const passOf = new Map(passes.map((pass) => [pass.name, pass]));
  const headOf = ({ head, values }: Pass): ParamSpecs => linearParams(head, size.width, values);

  return {
    branches: passes.map((pass) => ({
      ...pass.trunk.branch(pass.name, Object.keys(headOf(pass))),
      // Attention pairs every query with the keys of all tokens, and asks for the class token's row as well.
      ...(pass.name === ATTENTION ? { tokenwise: false, predictsCls: true } : {}),
    })),
    params: () => inOfficialOrder(Object.assign({}, ...passes.map((pass) => ({ ...pass.trunk.params(), ...headOf(pass) }))) as ParamSpecs),
    decode: (features, plan, params) => Object.fromEntries(passes.map(({ name, trunk }) => [name, trunk.decode(features[feature] as Tensor3D, plan, params)])),
    predict(name, { tokens_BSd, cls_B1d, cells }, _plan, params) {
      const { norm, head, values } = passOf.get(name) as Pass;
      const sequence = cls_B1d === undefined ? tokens_BSd : tf.concat([cls_B1d, tokens_BSd], 1);
      const [batch, tokens] = sequence.shape;
      const normed = layerNorm(tf.reshape(sequence, [batch * tokens, size.width]), params, norm);
      const predicted = tf.reshape(linear(normed, params, head), [batch, tokens, values]) as Tensor3D;
      const patches = cls_B1d === undefined ? predicted : tf.slice(predicted, [0, 1, 0], [batch, tokens - 1, values]);
      if (name === FEATURE) return { values: { [targets[name]?.output ?? FEATURES]: patches }, cells };
      return { values: { [QUERIES_KEYS]: patches, [CLASS_QUERY]: tf.slice(predicted, [0, 0, 0], [batch, 1, values]) }, cells };
    },
    decodeMacs: (counts) => addMacs(...passes.map(({ trunk }) => trunk.decodeMacs(counts))),
    predictMacs: (name, tokens) => ({ head: linearMacs(tokens, size.width, (passOf.get(name) as Pass).values) }),
  };
}

/** Shared positions, what is each pass's own, shared blocks. */
function inOfficialOrder(specs: ParamSpecs): ParamSpecs {
  const rank = (name: string): number => (name === POSITIONS ? 0 : name.startsWith(`${BLOCKS}.`) ? 2 : 1);
  return Object.fromEntries(Object.entries(specs).sort(([a], [b]) => rank(a) - rank(b)));
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
