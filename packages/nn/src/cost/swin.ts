import { linearMacs, vitBlockMacs } from './vit.js';

/** A Swin block: as a transformer block, but each token attends to the `window` * `window` tokens of its window only. */
export const swinBlockMacs = (tokens: number, width: number, window: number, mlpRatio = 4): number =>
  linearMacs(tokens, width, (4 + 2 * mlpRatio) * width) + 2 * window * window * tokens * width;

/** Patch merging of `tokens` incoming tokens: 2 x 2 of them, side by side, to twice the width. */
export const patchMergingMacs = (tokens: number, width: number): number => linearMacs(tokens / 4, 4 * width, 2 * width);

/** A GreenMIM block on `groups` groups of `size` token slots; the slots that pad a group are computed too. */
export const groupedBlockMacs = (groups: number, size: number, width: number): number => groups * vitBlockMacs(size, width);

export interface GreenDecoderSize {
  readonly visible: number;
  readonly known: number;
  /** Width of the encoder's first stage; its last is eight times as wide. */
  readonly encoderWidth: number;
  readonly width: number;
  readonly values: number;
}

/** GreenMIM's one-block decoder without class token: embedding of the visible tokens, block, head on `predicted` tokens. */
export const greenDecoderMacs = ({ visible, known, encoderWidth, width, values }: GreenDecoderSize, predicted: number): number =>
  linearMacs(visible, 8 * encoderWidth, width) + vitBlockMacs(known, width) + linearMacs(predicted, width, values);
