import { cellsOf } from '@mimlab/core';
import { checkHeads, vitBlock, vitBlockMacs, vitBlockParams } from '@mimlab/nn';
import * as tf from '@tensorflow/tfjs-core';
import { ownPrefix, type Aggregator, type AggregatorSite } from './aggregator.js';

const MLP_RATIO = 4;

export interface TransformerOptions {
  /** Adds the decoder's positions to all cells: with zeros in thrown cells the block could not tell them apart. */
  readonly positions: boolean;
}

/**
 * One pre-norm ViT block with the decoder's number of heads over the tokens of the grid, without class token.
 * Linear maps start Xavier uniform with zero biases, as those of ViT decoders do.
 * @throws ConfigError if the branch's heads do not divide its width.
 */
export function transformerAggregator({ branch, grid }: AggregatorSite, { positions }: TransformerOptions): Aggregator {
  const { width, heads } = branch;
  const prefix = `${ownPrefix(branch.name)}.transformer`;
  checkHeads(width, heads, `branch '${branch.name}'`);
  return {
    params: () => vitBlockParams(prefix, width, MLP_RATIO),
    apply(tokens_BNd, _sources, params) {
      const [batch, tokens] = tokens_BNd.shape;
      const placed = positions && branch.positions_Nd !== undefined ? tf.add(tokens_BNd, tf.expandDims(branch.positions_Nd(params), 0)) : tokens_BNd;
      const rows = vitBlock(tf.reshape(placed, [batch * tokens, width]), params, prefix, { batch, tokens, heads });
      return tf.reshape(rows, tokens_BNd.shape);
    },
    macs: vitBlockMacs(cellsOf(grid), width, MLP_RATIO),
  };
}
