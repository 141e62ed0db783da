import { z } from 'zod';

const count = (what: string) => z.int().min(1).describe(what);
const side = z.int().min(1);

/** Settings of MFF. Defaults: ViT-B/16 as mmpretrain publishes it. */
export const MffConfig = z
  .strictObject({
    patchSize: z.union([side, z.tuple([side, side])]).default(16).describe('Patch size in pixels: one number, or [height, width].'),
    width: count('Encoder width; a multiple of 4 and of heads.').default(768),
    depth: count('Encoder blocks.').default(12),
    heads: count('Attention heads of an encoder block.').default(12),
    mlpRatio: z.number().positive().default(4).describe('Hidden width of an MLP over its width, in encoder and decoder.'),
    fuseBlocks: z
      .union([z.literal('spread'), z.array(z.int().min(0)).min(1)])
      .default('spread')
      .describe("Blocks whose outputs are fused, counted from 0, ascending, the last block last. 'spread': up to six, evenly from the first to the last (0, 2, 4, 6, 8, 11 of 12)."),
    evaluate: z
      .enum(['plain', 'fused'])
      .default('plain')
      .describe("What evaluation reads behind the final norm: 'plain' the last block alone, as published results do, or 'fused' the mixture of blocks."),
    positions: z
      .enum(['mmpretrain', 'mae'])
      .default('mmpretrain')
      .describe("Halves of the position vectors: 'mmpretrain' row first, 'mae' column first. A checkpoint brings its own tables."),
    decoderWidth: count('Decoder width; a multiple of 4 and of decoderHeads.').default(512),
    decoderDepth: count('Decoder blocks.').default(8),
    decoderHeads: count('Attention heads of a decoder block.').default(16),
    maskRatio: z.number().gt(0).lt(1).default(0.75).describe('Share of tokens that is hidden; floor(N * (1 - maskRatio)) stay visible.'),
    normPix: z.boolean().default(true).describe('Standardise the pixels of each target patch by its own mean and deviation.'),
    embedPatches: z
      .enum(['visible', 'all'])
      .default('visible')
      .describe("Which patches meet the embedding product: the visible ones alone, or all of them as in the released code. Same result; 'all' costs more."),
  })
  .superRefine((config, context) => {
    const refuse = (key: keyof typeof config, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
    const divisible = (key: 'width' | 'decoderWidth', by: number, why: string): void => {
      if (config[key] % by !== 0) refuse(key, `${config[key]} is not divisible by ${by} (${why})`);
    };
    divisible('width', config.heads, 'heads');
    divisible('width', 4, 'sine-cosine positions');
    divisible('decoderWidth', config.decoderHeads, 'decoderHeads');
    divisible('decoderWidth', 4, 'sine-cosine positions');
    const { fuseBlocks, depth } = config;
    if (fuseBlocks === 'spread') return;
    if (fuseBlocks.some((block, i) => i > 0 && block <= (fuseBlocks[i - 1] as number))) refuse('fuseBlocks', `[${fuseBlocks.join(', ')}] does not ascend`);
    // Decoder and evaluation go on from the last block: leaving it out would leave it untrained.
    if (fuseBlocks.at(-1) !== depth - 1) refuse('fuseBlocks', `the last entry must be the last block, ${depth - 1} of ${depth} blocks, not ${fuseBlocks.at(-1)}`);
  });

export type MffConfig = z.infer<typeof MffConfig>;

/** Most blocks that 'spread' chooses: as many as the published ViT-B fuses. */
const SPREAD = 6;

/** Ids of the blocks to fuse, ascending, the last block last. */
export function fusedBlocks({ fuseBlocks, depth }: Pick<MffConfig, 'fuseBlocks' | 'depth'>): readonly number[] {
  if (fuseBlocks !== 'spread') return fuseBlocks;
  const levels = Math.min(SPREAD, depth);
  if (levels === 1) return [depth - 1];
  return Array.from({ length: levels }, (_, level) => Math.floor((level * (depth - 1)) / (levels - 1)));
}
