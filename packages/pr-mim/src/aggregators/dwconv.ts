import { cellsOf, type Branch, type Initializer, type ParamSpec, type ParamSpecs } from '@mimlab/core';
import { depthwiseConvolution, depthwiseMacs, param, plainParam, torchUniform, zeros } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { AggregatorConfig } from '../config.js';
import { ownPrefix, type Aggregator, type AggregatorSite } from './aggregator.js';
import { boxSum } from './box-sum.js';

export interface DepthwiseOptions {
  readonly kernel: number;
  readonly init: NonNullable<AggregatorConfig['init']>;
  readonly bias: boolean;
  /** Scale by kernel^2 over the number of tokens under the kernel; zeros, without bias, where there are none. */
  readonly normalizeByCount: boolean;
}

/** A kernel in memory layout [k, k, C, 1]; files hold [C, 1, k, k]. */
export const depthwiseKernelParam = (kernel: number, width: number, init: Initializer): ParamSpec => ({
  shape: [kernel, kernel, width, 1],
  trainable: true,
  init,
  layout: { kind: 'depthwise' },
});

/** Every tap 1 / k^2 but the centre, which no thrown cell could use. */
export const meanOfNeighbours: Initializer = (shape) => {
  const [rows, columns, width] = shape as [number, number, number];
  const taps = new Float32Array(rows * columns * width).fill(1 / (rows * columns));
  const centre = ((rows * columns - 1) / 2) * width;
  return taps.fill(0, centre, centre + width);
};

function initOf({ convInit }: Branch, kernel: number, rule: DepthwiseOptions['init']): { readonly weight: Initializer; readonly bias: Initializer } {
  if (rule === 'host') return { weight: convInit.weight(kernel), bias: convInit.bias(kernel) };
  // PyTorch's default for a convolution with one input channel a filter: fan-in kernel^2.
  if (rule === 'uniform') return { weight: torchUniform(kernel * kernel), bias: torchUniform(kernel * kernel) };
  return { weight: meanOfNeighbours, bias: zeros };
}

/** One k x k filter a channel, stride 1, zero padding k // 2 (PR-MIM specification, section 5.1, step 5). */
export function depthwiseAggregator({ branch, grid }: AggregatorSite, options: DepthwiseOptions): Aggregator {
  const { kernel, bias, normalizeByCount } = options;
  const prefix = `${ownPrefix(branch.name)}.conv`;
  const init = initOf(branch, kernel, options.init);
  return {
    params(): ParamSpecs {
      const weight = { [`${prefix}.weight`]: depthwiseKernelParam(kernel, branch.width, init.weight) };
      return bias ? { ...weight, [`${prefix}.bias`]: plainParam([branch.width], init.bias) } : weight;
    },
    apply(tokens_BNd, sources_BN1, params): Tensor3D {
      const shape = [tokens_BNd.shape[0], grid.rows, grid.columns] as const;
      const tokens: Tensor4D = tf.reshape(tokens_BNd, [...shape, branch.width]);
      let out = depthwiseConvolution(tokens, param(params, `${prefix}.weight`));
      let present: Tensor4D | undefined;
      if (normalizeByCount) {
        const count = boxSum(tf.reshape(sources_BN1, [...shape, 1]), kernel);
        present = tf.minimum<Tensor4D>(count, 1);
        out = tf.mul<Tensor4D>(out, tf.mul(present, tf.div(kernel * kernel, tf.maximum(count, 1))));
      }
      if (bias) {
        const vector = param<Tensor1D>(params, `${prefix}.bias`);
        out = tf.add(out, present === undefined ? vector : tf.mul(present, vector));
      }
      return tf.reshape(out, tokens_BNd.shape);
    },
    macs: depthwiseMacs(cellsOf(grid), branch.width, kernel),
  };
}
