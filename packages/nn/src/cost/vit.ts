/**
 * Closed cost formulas: multiply-accumulates of the forward pass for one image. Matrix products (attention's two
 * included) and convolutions count; norms, softmax, activations, biases, position tables and gathers do not. This is the
 * convention in which published ratios come out (PR-MIM specification, section 11).
 */

/** A linear map on every token: decoder embedding, prediction head, fusion. */
export const linearMacs = (tokens: number, inputs: number, outputs: number): number => tokens * inputs * outputs;

/**
 * Patch embedding of `patches` patches, `values` = patch height * patch width * channels numbers each.
 * Papers count every patch of the grid, also where hidden ones are dropped afterwards.
 */
export const patchEmbedMacs = (patches: number, values: number, width: number): number => linearMacs(patches, values, width);

/** One transformer block over `tokens` tokens, class token included: four square maps, the MLP, and attention's two products. */
export const vitBlockMacs = (tokens: number, width: number, mlpRatio = 4): number =>
  linearMacs(tokens, width, (4 + 2 * mlpRatio) * width) + 2 * tokens * tokens * width;

/** A k x k depth-wise convolution over every cell of the grid. Taps on the padding count, as they do for any convolution. */
export const depthwiseMacs = (cells: number, width: number, kernel: number): number => kernel * kernel * width * cells;

/** The ConvNeXt block: depth-wise convolution, then a linear map to four times the width and back. */
export const convNextMacs = (cells: number, width: number, kernel = 7): number =>
  depthwiseMacs(cells, width, kernel) + 2 * linearMacs(cells, width, 4 * width);

export interface VitSize {
  readonly cells: number;
  /** Numbers in one patch. */
  readonly patchValues: number;
  readonly width: number;
  readonly depth: number;
  readonly mlpRatio?: number;
}

/** A whole vision transformer that embeds every patch and runs its blocks on `tokens` tokens, class token included. */
export const vitMacs = ({ cells, patchValues, width, depth, mlpRatio = 4 }: VitSize, tokens: number): number =>
  patchEmbedMacs(cells, patchValues, width) + depth * vitBlockMacs(tokens, width, mlpRatio);
