import { cellsOf, part, type Encoder, type Params, type ParamSpecs } from '@mimlab/core';
import {
  checkHeads,
  embedVisible,
  gelu,
  LATENT,
  layerNorm,
  linear,
  linearParams,
  mlpWidth,
  normParams,
  param,
  patchEmbedMacs,
  patchGrid,
  patchValues,
  tecAdapterMacs,
  vitBlockMacs,
  vitBlockOutputs,
  vitClassAttention,
  vitEncoderParams,
  type VitEncoderOptions,
} from '@mimlab/nn';
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

const mlpParams = (prefix: string, width: number, hidden: number): ParamSpecs => ({
  ...linearParams(`${prefix}.fc1`, width, hidden),
  ...linearParams(`${prefix}.fc2`, hidden, width),
});
const mlp = (x_MD: Tensor2D, params: Params, prefix: string): Tensor2D => linear(gelu(linear(x_MD, params, `${prefix}.fc1`)), params, `${prefix}.fc2`);

/**
 * TEC's student encoder: MAE's, with an MLP on the class token in place of the token itself (no residual), and adapters
 * behind it. Source: official TEC, input and encoder adapters.
 * Features: `adapted` for the decoder; `latent`, the plain encoder's output, for evaluation.
 * @throws ConfigError if patch or heads do not fit.
 */
export function tecEncoder(options: TecEncoderOptions): Encoder {
  const { image, patch, width, depth, heads, mlpRatio, inputAdapter, adapterBlocks, decoderWidth } = options;
  const grid = patchGrid(image, patch);
  checkHeads(width, heads);
  const chunks = depth / adapterBlocks;
  const size = { width, decoderWidth, chunks, blocks: adapterBlocks, inputMlp: inputAdapter };

  /** Parameters with the class token that the blocks get. */
  const adaptedToken = (params: Params): Params => {
    if (!inputAdapter) return params;
    const token = tf.reshape(param(params, 'cls_token'), [1, width]) as Tensor2D;
    return { ...params, cls_token: part(ADAPTER, () => mlp(token, params, INPUT)) };
  };

  return {
    grid,
    features: { [LATENT]: { width, cells: 'visible', cls: true }, [ADAPTED]: { width, cells: 'visible', cls: true } },
    output: LATENT,
    params: (): ParamSpecs => ({
      ...vitEncoderParams(options, grid),
      ...(inputAdapter ? mlpParams(INPUT, width, 4 * width) : {}),
      ...normParams(`${OUTPUT}.adap_before`, depth * width),
      ...(Object.assign({}, ...Array.from({ length: chunks }, (_, j) => linearParams(`${OUTPUT}.fuse_fcs.${j}`, adapterBlocks * width, width))) as ParamSpecs),
      ...(Object.assign({}, ...Array.from({ length: chunks }, (_, j) => mlpParams(`${OUTPUT}.adap_mlps.${j}`, width, 4 * decoderWidth))) as ParamSpecs),
      ...normParams(`${OUTPUT}.adap_after`, width),
    }),
    encode(images_BHWC, plan, params) {
      const sequence = embedVisible(images_BHWC, plan, adaptedToken(params), options);
      const [batch, tokens] = sequence.shape;
      const outputs = vitBlockOutputs(tf.reshape(sequence, [batch * tokens, width]), params, 'blocks', depth, { batch, tokens, heads });
      const latent = layerNorm(outputs.at(-1) as Tensor2D, params, 'norm');
      const adapted = part(ADAPTER, () => adapt([...outputs.slice(0, -1), latent], params, chunks));
      const asSequence = (rows: Tensor2D) => tf.reshape(rows, [batch, tokens, width]);
      return { [LATENT]: asSequence(latent), [ADAPTED]: asSequence(adapted) };
    },
    classAttention: (images_BHWC, plan, params) => vitClassAttention(embedVisible(images_BHWC, plan, adaptedToken(params), options), params, options),
    macs: ({ visible }) => ({
      patch: patchEmbedMacs(options.embedPatches === 'all' ? cellsOf(grid) : visible, patchValues(patch, image.channels), width),
      encoder: depth * vitBlockMacs(1 + visible, width, mlpWidth(width, mlpRatio) / width),
      [ADAPTER]: tecAdapterMacs(size, 1 + visible),
    }),
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
