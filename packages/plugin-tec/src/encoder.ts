import { part, type Encoder, type EncoderTrunk, type Params, type ParamSpecs } from '@mimlab/core';
import { LATENT, layerNorm, linear, linearParams, mlp, mlpParams, normParams, param, tecAdapterMacs, trunkParams, vitEncoderRead, type VitEncoderOptions } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';

/** The feature that the decoder reads: all blocks' outputs through the encoder adapters. */
export const ADAPTED = 'adapted';
/** Name of the part that costs and profiles show the adapters under. */
const ADAPTER = 'adapter';
/** Epsilon of the two norms of the encoder adapters; every other norm has 1e-6 (localmim-tec-amt specification, P9). */
const ADAPTER_EPSILON = 1e-5;
const INPUT = 'cls_token_mlp';
const OUTPUT = 'encoder_adaptor';

export interface TecEncoderOptions extends VitEncoderOptions {
  readonly inputAdapter: boolean;
  /** Blocks whose outputs one adapter brings together; divides the depth. */
  readonly adapterBlocks: number;
  /** The adapters' MLPs are four times as wide as the decoder. */
  readonly decoderWidth: number;
}

/**
 * TEC's student encoder: MAE's, with an MLP on the class token in place of the token itself (no residual), and adapters
 * behind it. Source: official TEC, input and encoder adapters.
 * Features: `adapted` for the decoder; `latent`, the plain encoder's output, for evaluation.
 * @throws ConfigError if patch or heads do not fit.
 */
export function tecEncoder(options: TecEncoderOptions): Encoder {
  const { width, depth, inputAdapter, adapterBlocks, decoderWidth } = options;
  const chunks = depth / adapterBlocks;
  const size = { width, decoderWidth, chunks, blocks: adapterBlocks, inputMlp: inputAdapter };
  const eachChunk = (specs: (chunk: number) => ParamSpecs): ParamSpecs => Object.assign({}, ...Array.from({ length: chunks }, (_, j) => specs(j))) as ParamSpecs;

  const plain = vitEncoderRead(options, {
    features: [LATENT, ADAPTED],
    output: LATENT,
    params: (specs) => ({
      ...specs,
      ...(inputAdapter ? mlpParams(INPUT, width, 4 * width) : {}),
      ...normParams(`${OUTPUT}.adap_before`, depth * width),
      ...eachChunk((j) => linearParams(`${OUTPUT}.fuse_fcs.${j}`, adapterBlocks * width, width)),
      ...eachChunk((j) => mlpParams(`${OUTPUT}.adap_mlps.${j}`, width, 4 * decoderWidth)),
      ...normParams(`${OUTPUT}.adap_after`, width),
    }),
    read(outputs, params) {
      const latent = layerNorm(outputs.at(-1) as Tensor2D, params, 'norm');
      return { [LATENT]: latent, [ADAPTED]: part(ADAPTER, () => adapt([...outputs.slice(0, -1), latent], params, chunks)) };
    },
  });
  /** Parameters with the class token that the blocks get. */
  const adaptedToken = (params: Params): Params => {
    const token = tf.reshape(param(params, 'cls_token'), [1, width]) as Tensor2D;
    return inputAdapter ? { ...params, cls_token: part(ADAPTER, () => mlp(token, params, INPUT)) } : params;
  };
  return {
    ...plain,
    trunk: {
      architecture: (plain.trunk as EncoderTrunk).architecture,
      // The MLP sees nothing but the token: downstream the token that comes out of it takes its place.
      params: (params) => ({ ...trunkParams(params), cls_token: tf.reshape(param(adaptedToken(params), 'cls_token'), [1, 1, width]) }),
    },
    encode: (images_BHWC, plan, params, context) => plain.encode(images_BHWC, plan, adaptedToken(params), context),
    classAttention: (images_BHWC, plan, params, context) => (plain.classAttention as NonNullable<Encoder['classAttention']>)(images_BHWC, plan, adaptedToken(params), context),
    macs: (plan) => ({ ...plain.macs(plan), [ADAPTER]: tecAdapterMacs(size, 1 + plan.visible) }),
  };
}

/** All outputs side by side, normed as one vector; each chunk to one width, plus its MLP; the sum, normed. */
function adapt(outputs: readonly Tensor2D[], params: Params, chunks: number): Tensor2D {
  const together = layerNorm(tf.concat([...outputs], 1), params, `${OUTPUT}.adap_before`, ADAPTER_EPSILON);
  // tfjs has no gradient for a split into one piece.
  const pieces = chunks === 1 ? [together] : (tf.split(together, chunks, 1) as Tensor2D[]);
  const adapted = pieces.map((chunk, j) => {
    const fused = linear(chunk, params, `${OUTPUT}.fuse_fcs.${j}`);
    return tf.add(fused, mlp(fused, params, `${OUTPUT}.adap_mlps.${j}`)) as Tensor2D;
  });
  const sum = adapted.reduce((total, rows) => tf.add(total, rows));
  return layerNorm(sum, params, `${OUTPUT}.adap_after`, ADAPTER_EPSILON);
}
