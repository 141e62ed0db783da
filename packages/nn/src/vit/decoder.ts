import { CompositionError, type BranchTarget, type Decoder, type Encoder, type FeatureSpec } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { linearMacs } from '../cost/vit.js';
import { layerNorm } from '../layers/layer-norm.js';
import { linear } from '../layers/linear.js';
import { linearParams } from '../params/specs.js';
import type { PositionLayout } from '../positions/sincos.js';
import { decoderTrunk, MAE_DECODER } from './decoder-trunk.js';

/** Prefix of the head's parameters. */
const HEAD = 'decoder_pred';

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
 * The plain ViT decoder of MAE (MFF uses it as it is): `decode` gives the tokens behind the last block, `predict`
 * norms them and maps them to values. Source: official MAE, models_mae.py, forward_decoder.
 * @throws CompositionError if encoder or target do not fit.
 */
export function vitDecoder(options: VitDecoderOptions): Decoder {
  const { encoder, feature, width } = options;
  const { cls, width: inputs } = visibleFeature(encoder, feature);
  const { name, values, output } = branchAsked(options);
  const trunk = decoderTrunk({ ...options, names: MAE_DECODER, grid: encoder.grid, inputs, cls });
  const head = linearParams(HEAD, width, values);

  return {
    branches: [trunk.branch(name, Object.keys(head))],
    params: () => ({ ...trunk.params(), ...head }),
    decode: (features, plan, params) => ({ [name]: trunk.decode(features[feature] as Tensor3D, plan, params) }),
    predict(_branch, set, _plan, params) {
      const { tokens_BSd, cls_B1d, cells } = set;
      const sequence = cls_B1d === undefined ? tokens_BSd : tf.concat([cls_B1d, tokens_BSd], 1);
      const [batch, tokens] = sequence.shape;
      const rows = layerNorm(tf.reshape(sequence, [batch * tokens, width]), params, MAE_DECODER.norm);
      const predicted = tf.reshape(linear(rows, params, HEAD), [batch, tokens, values]);
      const kept = cls_B1d === undefined ? predicted : tf.slice(predicted, [0, 1, 0], [batch, tokens - 1, values]);
      return { values: { [output]: kept }, cells };
    },
    decodeMacs: (counts) => trunk.decodeMacs(counts),
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
