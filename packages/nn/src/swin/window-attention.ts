import type { Grid, Params } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { attention, type SequenceShape } from '../layers/attention.js';
import { withGradient } from '../layers/custom-gradient.js';
import { linear } from '../layers/linear.js';
import { param } from '../params/lookup.js';
import { pairsByHead, relativePairs } from '../positions/relative-bias.js';
import type { Windows } from './windows.js';

/**
 * Tokens of every image in another order, [B, N, C]; `order` lists all N places once. As a gather along the token axis
 * its index stays as long as one image.
 */
export function permuteTokens(x_BNC: Tensor3D, order: Int32Array, inverse: Int32Array): Tensor3D {
  const take = (x: Tensor3D, places: Int32Array): Tensor3D => tf.gather(x, tf.tensor1d(places, 'int32'), 1);
  return withGradient(
    [x_BNC],
    () => take(x_BNC, order),
    (dy) => [take(dy, inverse)],
  );
}

/** Table of relative positions of an attention layer of this prefix, [offsets, heads]. */
export const relativeTable = (params: Params, prefix: string): Tensor2D => param<Tensor2D>(params, `${prefix}.relative_position_bias_table`);

/**
 * Attention inside groups of tokens, whatever makes the groups: qkv, attention, projection, with the official names
 * `PREFIX.qkv` and `PREFIX.proj`.
 * @param x_MC [sequences * n, C], group by group
 */
export function groupAttention(x_MC: Tensor2D, params: Params, prefix: string, shape: SequenceShape, bias_Ghnn?: Tensor4D): Tensor2D {
  const qkv = linear(x_MC, params, `${prefix}.qkv`);
  return linear(attention(qkv, shape, bias_Ghnn), params, `${prefix}.proj`);
}

/** Relative positions inside a window plus, where windows are shifted, their mask: [1 or windows, h, side^2, side^2]. */
export function windowBias(table_Rh: Tensor2D, { side, count, mask }: Windows): Tensor4D {
  const area = side * side;
  const window: Grid = { rows: side, columns: side };
  const bias = pairsByHead(relativePairs(table_Rh, window, false), 1, area);
  if (mask === undefined) return bias;
  return tf.add(bias, tf.tensor4d(mask, [count, 1, area, area]));
}

/**
 * Attention inside the windows of whole grids.
 * @param x_MC [B * N, C], raster order; the same comes back
 */
export function windowAttention(x_MC: Tensor2D, params: Params, prefix: string, { batch, heads, windows }: { readonly batch: number; readonly heads: number; readonly windows: Windows }): Tensor2D {
  const { order, inverse, side, count } = windows;
  const width = x_MC.shape[1];
  const cells = order.length;
  const permuted = (x: Tensor2D, places: Int32Array, back: Int32Array): Tensor2D =>
    tf.reshape(permuteTokens(tf.reshape(x, [batch, cells, width]), places, back), [batch * cells, width]);
  const shape = { batch: batch * count, tokens: side * side, heads };
  const attended = groupAttention(permuted(x_MC, order, inverse), params, prefix, shape, windowBias(relativeTable(params, prefix), windows));
  return permuted(attended, inverse, order);
}
