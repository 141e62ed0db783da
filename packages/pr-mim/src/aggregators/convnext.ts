import { cellsOf } from '@mimlab/core';
import {
  constant,
  convNextMacs,
  depthwiseConvolution,
  gelu,
  layerNorm,
  linear,
  linearParams,
  normParams,
  param,
  plainParam,
  truncatedNormal,
  zeros,
} from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { ownPrefix, type Aggregator, type AggregatorSite } from './aggregator.js';
import { depthwiseKernelParam } from './dwconv.js';

export interface ConvNextOptions {
  readonly kernel: number;
  /** Where the learned scale of the branch starts. ConvNeXt's 1e-6 makes thrown tokens so small that the norm's epsilon swamps them. */
  readonly scale: number;
}

/**
 * x + s * W2 gelu(W1 norm(dwconv(x))), hidden width four times the width, s learned a channel
 * (PR-MIM specification, section 5.4). Linear maps start truncated normal 0.02, as ConvNeXt's do; the convolution
 * follows the method's rule.
 */
export function convNextAggregator({ branch, grid }: AggregatorSite, { kernel, scale }: ConvNextOptions): Aggregator {
  const { width, convInit } = branch;
  const prefix = `${ownPrefix(branch.name)}.convnext`;
  const linearInit = { weight: truncatedNormal(0.02), bias: zeros };
  return {
    params: () => ({
      [`${prefix}.gamma`]: plainParam([width], constant(scale)),
      [`${prefix}.dwconv.weight`]: depthwiseKernelParam(kernel, width, convInit.weight(kernel)),
      [`${prefix}.dwconv.bias`]: plainParam([width], convInit.bias(kernel)),
      ...normParams(`${prefix}.norm`, width),
      ...linearParams(`${prefix}.pwconv1`, width, 4 * width, linearInit),
      ...linearParams(`${prefix}.pwconv2`, 4 * width, width, linearInit),
    }),
    apply(tokens_BNd, _sources, params) {
      const [batch, tokens] = tokens_BNd.shape;
      const convolved = depthwiseConvolution(tf.reshape(tokens_BNd, [batch, grid.rows, grid.columns, width]), param(params, `${prefix}.dwconv.weight`));
      const rows = tf.add(tf.reshape(convolved, [batch * tokens, width]), param<Tensor1D>(params, `${prefix}.dwconv.bias`)) as Tensor2D;
      const hidden = gelu(linear(layerNorm(rows, params, `${prefix}.norm`), params, `${prefix}.pwconv1`));
      const branchOut = tf.mul(linear(hidden, params, `${prefix}.pwconv2`), param<Tensor1D>(params, `${prefix}.gamma`));
      return tf.add(tokens_BNd, tf.reshape(branchOut, tokens_BNd.shape));
    },
    macs: convNextMacs(cellsOf(grid), width, kernel),
  };
}
