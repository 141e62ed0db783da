import type { Objective } from '@mimlab/core';
import { samplerStateOf, type AttentionSource } from '@mimlab/train';
import { stackImages } from '../pictures/predict-pixels.js';
import { heatUri } from './tiles.js';

/** Where the class token of the last block looks in one whole image. */
export interface AttentionMaps {
  /** Data URIs, one pixel a token: the mean over heads, then each head. */
  readonly mean: string;
  readonly heads: readonly string[];
  /** The token that the mean is largest at, counted from 1, and its attention. */
  readonly peak: { readonly row: number; readonly column: number; readonly share: number };
}

/** Heads drawn at most; the mean is over all. */
export const HEADS = 6;

/** Keeps the attention as it is: `samplerStateOf` gathers it for any rule. */
const everything = (objective: Objective): Objective => ({
  ...objective,
  sampler: { ...objective.sampler, state: { width: () => 0, isDueBefore: () => false, fromAttention: (attention) => attention.slice() } },
});

/**
 * Attention of the class token, softmax over all tokens, for whole images.
 * @param images uint8, [height, width, channels] each
 * @returns undefined if the encoder does not offer it
 */
export async function attentionMaps({ objective, ...source }: AttentionSource, images: readonly Uint8Array[]): Promise<AttentionMaps[] | undefined> {
  if (objective.encoder.classAttention === undefined) return undefined;
  const { rows, columns } = objective.grid;
  const attentions = await samplerStateOf({ objective: everything(objective), ...source }, stackImages(images, objective.image));
  return Promise.all(attentions.map((attention) => mapsOf(attention, rows * columns, columns)));
}

async function mapsOf(attention: Float32Array, cells: number, columns: number): Promise<AttentionMaps> {
  const heads = Array.from({ length: attention.length / cells }, (_, head) => attention.subarray(head * cells, (head + 1) * cells));
  const mean = Float32Array.from({ length: cells }, (_, cell) => heads.reduce((sum, values) => sum + (values[cell] as number), 0) / heads.length);
  const peak = mean.reduce((best, value, cell) => (value > (mean[best] as number) ? cell : best), 0);
  return {
    mean: await heatUri(mean, columns),
    heads: await Promise.all(heads.slice(0, HEADS).map((values) => heatUri(values, columns))),
    peak: { row: Math.floor(peak / columns) + 1, column: (peak % columns) + 1, share: mean[peak] as number },
  };
}
