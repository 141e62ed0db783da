import type { Params, ParamSpecs } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { LocalMimScale } from '../cost/frameworks.js';
import { gelu } from '../layers/gelu.js';
import { layerNorm } from '../layers/layer-norm.js';
import { linear } from '../layers/linear.js';
import { pointwiseParams, transposedConvolution, transposedConvolutionParams } from '../layers/pixel-convolutions.js';
import { normParams } from '../params/specs.js';

/** Names and shapes of a head that predicts `scale` values along each side of a token; places inside `pred` are those of the official sequence of layers. */
export function scaleHeadParams(prefix: string, scale: LocalMimScale, width: number, values: number): ParamSpecs {
  if (scale === 4) {
    return {
      ...transposedConvolutionParams(`${prefix}.0`, width, width / 2, 2),
      ...normParams(`${prefix}.1`, width / 2),
      ...transposedConvolutionParams(`${prefix}.3`, width / 2, width / 4, 2),
      ...pointwiseParams(`${prefix}.4`, width / 4, values),
    };
  }
  if (scale === 2) return { ...transposedConvolutionParams(`${prefix}.0`, width, width / 2, 2), ...pointwiseParams(`${prefix}.1`, width / 2, values) };
  return pointwiseParams(scale === 1 ? `${prefix}.0` : `${prefix}.1`, width, values);
}

/**
 * Predictions of each row by itself; a row of scale 4 or 2 becomes a square of predictions in raster order, at scale 0.5
 * a row is one that stands for 2 x 2 tokens already. Source: official LocalMIM, models_mim.py, Decoder.
 * @param rows_MD [M, D]
 * @returns [M, scale * scale * values], or [M, values] at scale 0.5
 */
export function scaleHead(rows_MD: Tensor2D, params: Params, prefix: string, scale: LocalMimScale): Tensor2D {
  if (scale === 4) {
    const half = gelu(layerNorm(transposedConvolution(rows_MD, params, `${prefix}.0`), params, `${prefix}.1`));
    const fine = linear(transposedConvolution(half, params, `${prefix}.3`), params, `${prefix}.4`);
    const [pixels, values] = fine.shape;
    const rows = pixels / 16;
    // Rows and columns of the two convolutions change places: each square has its four pixels as a block so far.
    const blocks = tf.reshape(fine, [rows, 2, 2, 2, 2 * values]);
    return tf.reshape(tf.transpose(blocks, [0, 1, 3, 2, 4]), [rows, 16 * values]);
  }
  if (scale === 2) {
    const fine = linear(transposedConvolution(rows_MD, params, `${prefix}.0`), params, `${prefix}.1`);
    return tf.reshape(fine, [rows_MD.shape[0], -1]);
  }
  return linear(rows_MD, params, scale === 1 ? `${prefix}.0` : `${prefix}.1`);
}
