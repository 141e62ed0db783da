import { linearMacs } from './vit.js';

/** MFF: a square map for each fused layer but the last, on the encoder's tokens. `projections` is 5 for ViT-B. */
export const mffFusionMacs = (tokens: number, width: number, projections = 5): number => projections * linearMacs(tokens, width, width);

export interface TecAdapterSize {
  readonly width: number;
  readonly decoderWidth: number;
  /** How many adapters there are, and how many blocks' outputs each brings together. */
  readonly chunks: number;
  readonly blocks?: number;
  /** Whether there is an MLP on the class token. */
  readonly inputMlp?: boolean;
}

/** TEC's encoder adapters on `tokens` tokens (three blocks' outputs to one, then an MLP), and the MLP on the class token. */
export const tecAdapterMacs = ({ width, decoderWidth, chunks, blocks = 3, inputMlp = true }: TecAdapterSize, tokens: number): number =>
  chunks * (linearMacs(tokens, blocks * width, width) + 2 * linearMacs(tokens, width, 4 * decoderWidth)) + (inputMlp ? 2 * linearMacs(1, width, 4 * width) : 0);

/** TEC's feature head; `targetWidth` is that of the teacher. */
export const tecFeatureHeadMacs = (tokens: number, width: number, targetWidth: number): number => linearMacs(tokens, width, targetWidth);

/** TEC's attention head: queries and keys of every token it sees, then the scores of class token and `topK` queries. */
export const tecAttentionHeadMacs = (tokens: number, width: number, targetWidth: number, topK: number): number =>
  linearMacs(tokens, width, 2 * targetWidth) + (1 + topK) * tokens * targetWidth;

/** Predictions of LocalMIM for each side of a token. */
export type LocalMimScale = 4 | 2 | 1 | 0.5;

/** One of LocalMIM's heads on the whole grid: transposed 2 x 2 convolutions up to its scale (or a 2 x 2 pooling), then a linear map. */
export function localMimHeadMacs(scale: LocalMimScale, cells: number, width: number, values: number): number {
  if (scale < 1) return linearMacs(cells * scale * scale, width, values);
  let tokens = cells;
  let channels = width;
  let macs = 0;
  for (let side = 1; side < scale; side *= 2) {
    macs += 4 * linearMacs(tokens, channels, channels / 2);
    tokens *= 4;
    channels /= 2;
  }
  return macs + linearMacs(tokens, channels, values);
}
