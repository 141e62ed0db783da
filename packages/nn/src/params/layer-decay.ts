/**
 * Depth of a parameter for layer-wise learning rates in fine-tuning: 0 for what comes before the blocks, one number a
 * block, blocks + 1 for what comes after them. Names as a model without decoder has them.
 * Source: official SimMIM, optimizer.py (SimMIM specification, section 4.4), with exact names where it compares parts of
 * them, and an absolute embedding of Swin at 0.
 */
export type LayerOf = (name: string) => number;

const BEFORE = /^(cls_token|mask_token|pos_embed|absolute_pos_embed)$|^patch_embed\./;

/** Layers of a plain ViT. A bias table that all blocks share lies behind them. */
export const vitLayers =
  (depth: number): LayerOf =>
  (name) => {
    if (BEFORE.test(name)) return 0;
    const block = /^blocks\.(\d+)\./.exec(name);
    return block === null ? depth + 1 : Number(block[1]) + 1;
  };

/** Layers of a Swin; a patch merging belongs to the last block of its stage. */
export function swinLayers(depths: readonly number[]): LayerOf {
  const through = (stages: number): number => depths.slice(0, stages).reduce((sum, depth) => sum + depth, 0);
  return (name) => {
    if (BEFORE.test(name)) return 0;
    const [, stage, block] = /^layers\.(\d+)\.(?:blocks\.(\d+)|downsample)\./.exec(name) ?? [];
    if (stage === undefined) return through(depths.length) + 1;
    return block === undefined ? through(Number(stage) + 1) : through(Number(stage)) + Number(block) + 1;
  };
}

/** Scale of the learning rate: `decay` once for each layer that lies behind, of `blocks` blocks and a head. */
export const layerDecayScale = (decay: number, blocks: number, layer: number): number => decay ** (blocks + 1 - layer);
