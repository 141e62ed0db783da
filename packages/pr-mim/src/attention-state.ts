import { cellsOf, type SampleContext, type SamplerStateRule } from '@mimlab/core';
import { storedWeights, tokenWeights, type MapCrop } from './samplers/attention-map.js';

/** When attention is gathered, and how it becomes the weights of a crop. */
export interface AttentionOptions {
  /** The first epoch, counted from 0, at whose end attention is gathered; it serves the epochs after. */
  readonly refreshFrom: number;
  /** Epochs between one gathering and the next. */
  readonly refreshEvery: number;
  readonly mapCrop: MapCrop;
}

/** AMT's state: for every image of the data set one weight a token, gathered from the class token's attention. */
export const attentionState = ({ refreshFrom, refreshEvery }: AttentionOptions): SamplerStateRule => ({
  width: cellsOf,
  isDueBefore: (epoch) => epoch - 1 >= refreshFrom && (epoch - 1 - refreshFrom) % refreshEvery === 0,
  fromAttention: storedWeights,
});

/** Weights of the tokens of a sample, under its crop and flip; undefined before attention was gathered. */
export const attentionOf = ({ state, grid, crop }: SampleContext, { mapCrop }: AttentionOptions): Float64Array | undefined =>
  state === undefined ? undefined : tokenWeights(state, grid, crop, mapCrop);
