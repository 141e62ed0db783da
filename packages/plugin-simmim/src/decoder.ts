import { CompositionError, type Branch, type BranchTarget, type Decoder, type Encoder, type ImageSpec, type Initializer, type ParamSpecs, type Prediction, type TokenSet } from '@mimlab/core';
import { coloursLast, LATENT, layerNorm, linear, linearMacs, param, patchify, patchValues, PATCHES, PIXELS, pixelShuffle, plainParam, TOKENS, torchUniform, zeros, type PatchSize } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { NORM, PREFIX } from './features.js';

const HEAD = 'decoder.0';

export interface SimMimDecoderOptions {
  readonly encoder: Encoder;
  readonly image: ImageSpec;
  readonly patch: PatchSize;
  readonly targets: Readonly<Record<string, BranchTarget>>;
  readonly aggregatePosition: 'before-norm' | 'after-norm';
  /** Epsilon of the encoder's final norm. */
  readonly epsilon: number;
  readonly heads: number;
  /** The host's rule for convolution weights. */
  readonly convInit: Initializer;
}

/**
 * SimMIM decodes nothing: its encoder has worked on the hidden tokens already. `decode` drops the class token, `predict`
 * norms what is left and maps it to pixels by a 1 x 1 convolution, whose channels are ordered colour, row, column.
 * Cells that are coarser than patches (Swin) are shuffled to an image, which is cut into patches again.
 * @throws CompositionError if encoder or target do not fit.
 */
export function simmimDecoder({ encoder, image, patch, targets, aggregatePosition, epsilon, heads, convInit }: SimMimDecoderOptions): Decoder {
  const before = aggregatePosition === 'before-norm';
  const feature = before ? TOKENS : LATENT;
  const spec = encoder.features[feature];
  if (spec === undefined || spec.cells === 'visible') {
    throw new CompositionError(`the decoder reads the feature '${feature}' of all tokens, hidden ones included, the encoder offers [${Object.keys(encoder.features).join(', ')}]`, {
      place: 'hooks.encoder',
      remedy: 'Take encoder and decoder from plugins that fit each other.',
    });
  }
  const { width, cells, cls } = spec;
  const grid = spec.grid ?? encoder.grid;
  const values = patchValues(patch, image.channels);
  const asked = targets[PIXELS];
  if (asked?.values !== values || asked.scale !== 1) {
    const wants = asked === undefined ? `branches [${Object.keys(targets).join(', ')}]` : `${asked.values} values at scale ${asked.scale}`;
    throw new CompositionError(`the target asks for ${wants}, the decoder predicts '${PIXELS}': the ${values} values of a patch`, {
      place: 'hooks.target',
      remedy: 'Take a pixel target with the same patch size, or another decoder.',
    });
  }
  /** Patches side by side in a cell. */
  const stretch = encoder.grid.rows / grid.rows;
  const outputs = values * stretch * stretch;

  const branch: Branch = {
    name: PIXELS,
    width,
    cells,
    cls: false,
    ...(spec.grid === undefined ? {} : { grid }),
    heads,
    tokenwise: cells === 'known',
    convInit: { weight: () => convInit, bias: () => zeros },
    normParams: before ? [`${NORM}.weight`, `${NORM}.bias`] : [],
    headParams: [`${HEAD}.weight`, `${HEAD}.bias`],
    maskToken: (params) => tf.reshape(param(params, `${PREFIX}mask_token`), [-1]),
  };

  return {
    branches: [branch],
    params: (): ParamSpecs => ({
      [`${HEAD}.weight`]: { shape: [width, outputs], trainable: true, init: torchUniform(width), layout: { kind: 'patch', patch: [1, 1], channels: width } },
      [`${HEAD}.bias`]: plainParam([outputs], torchUniform(width)),
    }),
    decode(features): Record<string, TokenSet> {
      const sequence = features[feature] as Tensor3D;
      const [batch, tokens] = sequence.shape;
      return { [PIXELS]: { cells, tokens_BSd: cls ? tf.slice(sequence, [0, 1, 0], [batch, tokens - 1, width]) : sequence } };
    },
    predict(_branch, { tokens_BSd, cells: given }, _plan, params): Prediction {
      const [batch, tokens] = tokens_BSd.shape;
      const rows = tf.reshape(tokens_BSd, [batch * tokens, width]) as Tensor2D;
      const predicted = linear(before ? layerNorm(rows, params, NORM, epsilon) : rows, params, HEAD);
      const patches: Tensor =
        stretch === 1 ? coloursLast(predicted, image.channels) : patchify(pixelShuffle(predicted, grid, stretch * patch.height, image.channels), patch);
      return { values: { [PATCHES]: tf.reshape(patches, [batch, -1, values]) }, cells: given };
    },
    decodeMacs: () => ({}),
    predictMacs: (_branch, tokens) => ({ head: linearMacs(tokens, width, outputs) }),
  };
}
