import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Aggregator, AggregatorSite } from './aggregator.js';
import { boxSum } from './box-sum.js';

export interface AveragePoolOptions {
  readonly kernel: number;
  /** Divide by the number of tokens under the kernel instead of kernel^2; zeros where there are none. */
  readonly countKnown: boolean;
}

/** k x k mean, stride 1, zero padding. No parameters, no products. */
export const averagePoolAggregator = ({ grid, branch }: AggregatorSite, { kernel, countKnown }: AveragePoolOptions): Aggregator => ({
  params: () => ({}),
  apply(tokens_BNd, sources_BN1) {
    const shape = [tokens_BNd.shape[0], grid.rows, grid.columns] as const;
    const sums = boxSum(tf.reshape(tokens_BNd, [...shape, branch.width]), kernel);
    const sources: Tensor4D = tf.reshape(sources_BN1, [...shape, 1]);
    const means = countKnown ? tf.div(sums, tf.maximum(boxSum(sources, kernel), 1)) : tf.mul(sums, 1 / (kernel * kernel));
    return tf.reshape(means, tokens_BNd.shape);
  },
  macs: 0,
});
