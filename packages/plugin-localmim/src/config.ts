import { z } from 'zod';

const count = (what: string) => z.int().min(1).describe(what);
const side = z.int().min(1);
const scale = z.union([z.literal(4), z.literal(2), z.literal(1), z.literal(0.5)]);

/** Blocks after which the published models read the encoder: 2, 4, depth - 2 and depth. */
const PUBLISHED_TAPS = (depth: number): number[] => [2, 4, depth - 2, depth];

const LocalMimKeys = z.strictObject({
  patchSize: z
    .union([side, z.tuple([side, side])])
    .default(16)
    .describe('Patch size in pixels: one number, or [height, width]. A multiple of the largest scale.'),
  width: count('Encoder width; a multiple of 4 and of heads.').default(768),
  depth: count('Encoder blocks.').default(12),
  heads: count('Attention heads of an encoder block.').default(12),
  mlpRatio: z.number().positive().default(4).describe('Hidden width of an MLP over its width, in encoder and decoders.'),
  scales: z
    .array(scale)
    .min(1)
    .default([4, 2, 1, 0.5])
    .describe('One decoder for each: predictions along each side of a token. 0.5 predicts one cell for 2 x 2 tokens.'),
  taps: z
    .union([z.literal('published'), z.array(side).min(1)])
    .default('published')
    .describe("After how many encoder blocks each decoder reads, ascending, the last after all; 'published': 2, 4, depth - 2, depth."),
  decoderWidth: count('Width of each decoder; a multiple of 4 and of decoderHeads.').default(256),
  decoderDepth: count('Blocks of each decoder.').default(1),
  decoderHeads: count('Attention heads of a decoder block.').default(8),
  maskRatio: z.number().gt(0).lt(1).default(0.75).describe('Share of tokens that is hidden; floor(N * (1 - maskRatio)) stay visible.'),
  kind: z.enum(['hog', 'pixels']).default('hog').describe('What is predicted: histograms of oriented gradients, or pixels.'),
  bins: z.int().min(1).max(360).default(9).describe('hog: orientations between 0 and 180 degrees.'),
  hogBias: z.boolean().default(false).describe('hog: offsets of the gradient filters, drawn once and frozen, as the larger published models have.'),
  normPix: z.boolean().default(true).describe('pixels: standardise each patch by its own mean and deviation.'),
  embedPatches: z
    .enum(['visible', 'all'])
    .default('visible')
    .describe("Which patches meet the embedding product: the visible ones alone, or all of them as in the released code. Same result; 'all' costs more."),
  headTokens: z
    .enum(['scored', 'grid'])
    .default('scored')
    .describe("Cells that heads of scale 1 and finer work on: those in the loss alone, or the whole grid as in the released code. Same result; 'grid' costs more."),
});
type Keys = z.output<typeof LocalMimKeys>;

/** Number of blocks that each decoder's tokens have passed. */
export const tapsOf = ({ taps, depth }: Pick<Keys, 'taps' | 'depth'>): readonly number[] => (taps === 'published' ? PUBLISHED_TAPS(depth) : taps);

/** Settings of LocalMIM. Defaults: ViT-B/16 and the published recipe with HOG targets of 9 bins. */
export const LocalMimConfig = LocalMimKeys.superRefine((config, context) => {
  const refuse = (key: keyof Keys, message: string): void => {
    context.addIssue({ code: 'custom', path: [key], message });
  };
  const divisible = (key: 'width' | 'decoderWidth', by: number, why: string): void => {
    if (config[key] % by !== 0) refuse(key, `${config[key]} is not divisible by ${by} (${why})`);
  };
  divisible('width', config.heads, 'heads');
  divisible('width', 4, 'sine-cosine positions');
  divisible('decoderWidth', config.decoderHeads, 'decoderHeads');
  divisible('decoderWidth', 4, 'sine-cosine positions and the head of scale 4');
  const taps = tapsOf(config);
  if (taps.length !== config.scales.length) refuse('taps', `${taps.length} taps for ${config.scales.length} scales: each scale has a decoder, each decoder a tap`);
  else if (taps.some((tap, i) => tap <= (taps[i - 1] ?? 0)) || taps.at(-1) !== config.depth) {
    const published = config.taps === 'published' ? `, since the published rule needs a depth of at least 7; set 'taps' otherwise` : '';
    refuse('taps', `[${taps.join(', ')}] does not ascend to ${config.depth} (depth)${published}`);
  }
  const unused: readonly (keyof Keys)[] = config.kind === 'hog' ? ['normPix'] : ['bins', 'hogBias'];
  for (const key of unused) {
    const standard: unknown = LocalMimKeys.shape[key].parse(undefined);
    if (config[key] !== standard) refuse(key, `means nothing for kind: ${config.kind}; leave it at ${String(standard)}`);
  }
});

export type LocalMimConfig = z.infer<typeof LocalMimConfig>;
