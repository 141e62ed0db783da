import { z } from 'zod';

const count = (what: string) => z.int().min(1).describe(what);
const side = z.int().min(1);

/** Settings of MAE. Defaults: ViT-B/16 and the published pre-training recipe (normalised pixels, mask ratio 0.75). */
export const MaeConfig = z
  .strictObject({
    patchSize: z
      .union([side, z.tuple([side, side])])
      .default(16)
      .describe('Patch size in pixels: one number, or [height, width].'),
    width: count('Encoder width; a multiple of 4 and of heads.').default(768),
    depth: count('Encoder blocks.').default(12),
    heads: count('Attention heads of an encoder block.').default(12),
    mlpRatio: z.number().positive().default(4).describe('Hidden width of an MLP over its width, in encoder and decoder.'),
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
    const divisible = (key: 'width' | 'decoderWidth', by: number, why: string): void => {
      if (config[key] % by !== 0) context.addIssue({ code: 'custom', path: [key], message: `${config[key]} is not divisible by ${by} (${why})` });
    };
    divisible('width', config.heads, 'heads');
    divisible('width', 4, 'sine-cosine positions');
    divisible('decoderWidth', config.decoderHeads, 'decoderHeads');
    divisible('decoderWidth', 4, 'sine-cosine positions');
  });

export type MaeConfig = z.infer<typeof MaeConfig>;
