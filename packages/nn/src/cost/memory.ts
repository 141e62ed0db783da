/** One transformer block as memory sees it: tokens with class token, MLP ratio 4. */
export interface BlockSize {
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
}

/**
 * Who keeps activations for the backward pass: PyTorch with fp16 products, PyTorch in fp32, and the layers of this
 * package as eager execution keeps them, float32.
 */
export type KeptBy = 'torch-mixed' | 'torch-fp32' | 'eager-fp32';

/** Bytes a token and channel, a head and pair of tokens, a token. */
const KEPT: Readonly<Record<KeptBy, readonly [channel: number, pair: number, token: number]>> = {
  // Norm inputs 4 + 4 and their copies 2 + 2, q, k, v 6, attention's output 2, MLP 8 + 8; softmax 4 and its copy 2.
  'torch-mixed': [36, 6, 16],
  'torch-fp32': [64, 4, 16],
  // In floats: two norm outputs, q, k, v 3, attention's output and its projection, their sum with the input, MLP 4 + 4
  // and its output, the block's output; probabilities; two numbers a token and norm.
  'eager-fp32': [72, 4, 16],
};

/**
 * Bytes that one block keeps for its backward pass, for one image; its output counts, its input does not
 * (PR-MIM specification, section 13.1).
 */
export function keptBlockBytes(by: KeptBy, { tokens, width, heads }: BlockSize): number {
  const [channel, pair, token] = KEPT[by];
  return channel * tokens * width + pair * heads * tokens * tokens + token * tokens;
}

/**
 * Bytes that exist once for each parameter in data-parallel training with mixed precision: weight 4, gradient 4, AdamW
 * 8, fp16 copy 2, gradient buckets 4.
 */
export const TORCH_PARAMETER_BYTES = 22;
