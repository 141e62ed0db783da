import { z } from 'zod';

const count = (what: string) => z.int().min(1).describe(what);
const perStage = (what: string) => z.array(z.int().min(1)).min(1).describe(what);

/** Settings of GreenMIM. Defaults: Swin-B with windows of 7 and the published pre-training recipe. */
export const GreenMimConfig = z
  .strictObject({
    patchSize: count('Side of a patch in pixels. The mask hides squares of patchSize * 2^(stages - 1) pixels, one for each token of the last stage.').default(4),
    width: count('Width of the first stage; every stage doubles it.').default(128),
    depths: perStage('Blocks of each stage.').default([2, 2, 18, 2]),
    heads: perStage('Attention heads of each stage; they divide its width.').default([4, 8, 16, 32]),
    window: count('Side of the attention windows in tokens.').default(7),
    mlpRatio: z.number().positive().default(4).describe('Hidden width of an MLP over its width, in encoder and decoder.'),
    decoderWidth: count('Decoder width; a multiple of 4 and of decoderHeads.').default(512),
    decoderDepth: count('Decoder blocks.').default(1),
    decoderHeads: count('Attention heads of a decoder block.').default(16),
    maskRatio: z.number().gt(0).lt(1).default(0.75).describe('Share of hidden squares, the same ones in every image of a micro-batch; floor(N * (1 - maskRatio)) stay visible.'),
    normPix: z.boolean().default(true).describe('Standardise the pixels of each target square by its own mean and deviation.'),
    visibleOrder: z
      .enum(['raster', 'released'])
      .default('raster')
      .describe("Where the decoder takes visible tokens to lie: 'raster', at their own places; 'released', at those that the released code mixes up. Wrappers that work on the grid need 'raster'."),
    grouping: z
      .enum(['compact', 'released', 'searched'])
      .default('compact')
      .describe("How visible tokens share sequences: 'compact', as many windows as a window's area holds, and attention alone runs on groups; 'released', groups as large as the fullest window, and whole blocks do; 'searched', the same with groups of the size that costs least. Same result; 'compact' costs least."),
    mergeOrder: z
      .enum(['columns', 'rows'])
      .default('columns')
      .describe("Order in which patch merging joins the four tokens of a cell: 'columns', as Swin and the last release; 'rows', as the first public version of May 2022, for weights trained with it."),
    embedPatches: z
      .enum(['visible', 'all'])
      .default('visible')
      .describe("Which patches meet the embedding product: the visible ones alone, or all of them as in the released code. Same result; 'all' costs more."),
  })
  .superRefine(({ depths, heads, width, decoderWidth, decoderHeads }, context) => {
    const issue = (key: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [key], message });
    };
    if (heads.length !== depths.length) issue('heads', `${heads.length} numbers of heads for ${depths.length} stages`);
    heads.forEach((count, stage) => {
      if ((width * 2 ** stage) % count !== 0) issue('heads', `the width ${width * 2 ** stage} of stage ${stage} is not divisible by ${count} heads`);
    });
    if (decoderWidth % decoderHeads !== 0) issue('decoderWidth', `${decoderWidth} is not divisible by ${decoderHeads} (decoderHeads)`);
    if (decoderWidth % 4 !== 0) issue('decoderWidth', `${decoderWidth} is not divisible by 4 (sine-cosine positions)`);
  });

export type GreenMimConfig = z.infer<typeof GreenMimConfig>;
