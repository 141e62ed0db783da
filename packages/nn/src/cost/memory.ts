/** One transformer block as memory sees it: tokens with class token, MLP ratio 4. */
export interface BlockSize {
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
  /** Both residual branches are multiplied by a learned scale, which keeps one more value a token and channel. */
  readonly scaled?: boolean;
}

/** The same by the number of attention probabilities, heads and sequences together: windows and groups have fewer than tokens squared. */
export interface PairedBlockSize extends Omit<BlockSize, 'heads'> {
  readonly pairs: number;
}

/**
 * Who keeps activations for the backward pass: PyTorch with fp16 products, PyTorch in fp32, and the layers of this
 * package as eager execution keeps them, float32.
 */
export type KeptBy = 'torch-mixed' | 'torch-fp32' | 'eager-fp32';

/** Bytes a token and channel, a head and pair of tokens, a token. */
const KEPT: Readonly<Record<KeptBy, readonly [channel: number, pair: number, token: number, scaledChannel: number]>> = {
  // Norm inputs 4 + 4 and their copies 2 + 2, q, k, v 6, attention's output 2, MLP 8 + 8; softmax 4 and its copy 2.
  'torch-mixed': [36, 6, 16, 4],
  'torch-fp32': [64, 4, 16, 8],
  // In floats: two norm outputs, q, k, v 3, attention's output and its projection, their sum with the input, MLP 4 + 4
  // and its output, the block's output; probabilities; two numbers a token and norm.
  'eager-fp32': [72, 4, 16, 8],
};

/**
 * Bytes that one block keeps for its backward pass, for one image; its output counts, its input does not
 * (PR-MIM specification, section 13.1).
 */
export const keptBlockBytes = (by: KeptBy, { heads, ...block }: BlockSize): number => keptPairedBlockBytes(by, { ...block, pairs: heads * block.tokens ** 2 });

/** `keptBlockBytes` for any pattern of attention. */
export function keptPairedBlockBytes(by: KeptBy, { tokens, width, pairs, scaled = false }: PairedBlockSize): number {
  const [channel, pair, token, scaledChannel] = KEPT[by];
  return (channel + (scaled ? scaledChannel : 0)) * tokens * width + pair * pairs + token * tokens;
}

/**
 * Bytes that exist once for each parameter in data-parallel training with mixed precision: weight 4, gradient 4, AdamW
 * 8, fp16 copy 2, gradient buckets 4.
 */
export const TORCH_PARAMETER_BYTES = 22;

/** The same in full precision: without the fp16 copy. */
export const TORCH_FP32_PARAMETER_BYTES = 20;
