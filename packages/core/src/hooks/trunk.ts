import type { Params } from '../params.js';

interface Sizes {
  /** Pixels. */
  readonly patch: { readonly height: number; readonly width: number };
  /** Of the tokens; of a Swin those of its first stage, which every later one doubles. */
  readonly width: number;
  /** Hidden width of an MLP over its width. */
  readonly mlpRatio: number;
}

/** MAE's ViT: class token, absolute positions, plain blocks. Names `cls_token`, `pos_embed`, `patch_embed.proj`, `blocks.N`, `norm`. */
export interface VitArchitecture extends Sizes {
  readonly kind: 'vit';
  readonly depth: number;
  readonly heads: number;
}

/**
 * BEiT's ViT, as SimMIM fine-tunes it: queries and values have biases of their own, branches a learned scale, and every
 * block a table of relative positions (`blocks.N.attn.relative_position_bias_table`), or the whole a learned `pos_embed`.
 */
export interface BeitArchitecture extends Sizes {
  readonly kind: 'beit';
  readonly depth: number;
  readonly heads: number;
  readonly positions: 'relative' | 'learned';
  /** Where the learned scale starts and which residual branches it multiplies; null: there is none. */
  readonly layerScale: { readonly start: number; readonly on: readonly ('attention' | 'mlp')[] } | null;
}

/** Swin: names `patch_embed`, `layers.S.blocks.N`, `layers.S.downsample`, `norm`. No class token. */
export interface SwinArchitecture extends Sizes {
  readonly kind: 'swin';
  readonly depths: readonly number[];
  readonly heads: readonly number[];
  /** Side of the attention windows in tokens. */
  readonly window: number;
}

/** The plain network inside an encoder, as plain data: all that is needed to build a classifier of it. */
export type Architecture = VitArchitecture | BeitArchitecture | SwinArchitecture;

/** What is left of an encoder when nothing is hidden any more: what fine-tuning starts from. */
export interface EncoderTrunk {
  readonly architecture: Architecture;
  /**
   * The trunk's parameters from the encoder's: names without prefix, tables copied to every block, adapters folded in.
   * Those that it leaves out (a final norm that pre-training has not, say) start fresh. Pure.
   */
  params(params: Params): Params;
}
