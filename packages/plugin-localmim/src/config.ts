import { z } from 'zod';

const count = (what: string) => z.int().min(1).describe(what);
const side = z.int().min(1);
const sides = z.union([side, z.tuple([side, side])]);
const scale = z.union([z.literal(4), z.literal(2), z.literal(1), z.literal(0.5)]);

const LocalMimKeys = z.strictObject({
  arch: z.enum(['vit', 'swin']).default('vit').describe('Encoder. The defaults of other keys follow it: ViT-B/16, or Swin-B with windows of 7.'),
  patchSize: sides.optional().describe('Side of a patch in pixels: one number, or [height, width] (vit). Default 16 (vit), 4 (swin).'),
  width: count('Width of the encoder (swin: of its first stage; every later one doubles it). Default 768, 128.').optional(),
  depth: z.union([side, z.array(side).min(2).max(4)]).optional().describe('Blocks: one number (vit) or one for each stage (swin). Default 12, [2, 2, 18, 2].'),
  heads: z.union([side, z.array(side).min(2).max(4)]).optional().describe('Attention heads, as depth. Default 12, [4, 8, 16, 32].'),
  window: side.nullable().optional().describe('swin: side of the attention windows in tokens, default 7. vit: null.'),
  mlpRatio: z.number().positive().default(4).describe('Hidden width of an MLP over its width, in encoder and decoders.'),
  scales: z
    .array(scale)
    .min(1)
    .nullable()
    .optional()
    .describe('vit: one decoder for each, with so many predictions along each side of a token; default [4, 2, 1, 0.5]. swin: null, the stages decide.'),
  taps: z
    .array(side)
    .min(1)
    .nullable()
    .optional()
    .describe('vit: after how many blocks each decoder reads, ascending, the last after all; default [2, 4, depth - 2, depth]. swin: null, after every stage.'),
  merging: z
    .enum(['corrected', 'released'])
    .nullable()
    .optional()
    .describe('swin: patch merging, and places of merged tokens, as in Swin (default), or as the released code mixes them up. vit: null.'),
  decoderWidth: count('Width of each decoder; a multiple of 4 and of decoderHeads. swin: the first has half of it. Default 256 (vit), 128 (swin).').optional(),
  decoderDepth: count('Blocks of each decoder.').default(1),
  decoderHeads: count('Attention heads of a decoder block. Default 8 (vit), 4 (swin).').optional(),
  maskRatio: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.75)
    .describe('Share that is hidden. vit: of the tokens, floor(N * (1 - maskRatio)) stay visible. swin: of the mask units, floor(N * maskRatio) + 1 are hidden.'),
  kind: z.enum(['hog', 'pixels']).default('hog').describe('What is predicted: histograms of oriented gradients, or pixels.'),
  bins: z.int().min(1).max(360).nullable().optional().describe('hog: orientations between 0 and 180 degrees; default 9 (vit), 18 (swin). pixels: null.'),
  hogBias: z
    .boolean()
    .nullable()
    .optional()
    .describe('hog: offsets of the gradient filters, drawn once and frozen; default false (vit), true (swin). pixels: null.'),
  normPix: z.boolean().nullable().optional().describe('pixels: standardise each patch by its own mean and deviation, default true. hog: null.'),
  embedPatches: z
    .enum(['visible', 'all'])
    .default('visible')
    .describe("Which patches meet the embedding product: the visible ones alone, or all of them as in the released code. Same result; 'all' costs more."),
  headTokens: z
    .enum(['scored', 'grid'])
    .optional()
    .describe("vit: cells that heads of scale 1 and finer work on: those in the loss (default), or the whole grid as in the released code, at the same result. swin: 'grid'."),
});
type Draft = z.output<typeof LocalMimKeys>;

/** Blocks after which the published models read the encoder. */
const publishedTaps = (depth: number): number[] => [2, 4, depth - 2, depth];

/** Every key with its value, always in the same order. */
function complete(draft: Draft): Draft {
  const { arch, kind, depth } = draft;
  const ofArch =
    arch === 'vit'
      ? { patchSize: 16, width: 768, depth: 12, heads: 12, window: null, scales: [4, 2, 1, 0.5], taps: publishedTaps(typeof depth === 'number' ? depth : 12), merging: null, decoderWidth: 256, decoderHeads: 8, headTokens: 'scored' }
      : { patchSize: 4, width: 128, depth: [2, 2, 18, 2], heads: [4, 8, 16, 32], window: 7, scales: null, taps: null, merging: 'corrected', decoderWidth: 128, decoderHeads: 4, headTokens: 'grid' };
  const ofKind = kind === 'hog' ? { bins: arch === 'vit' ? 9 : 18, hogBias: arch === 'swin', normPix: null } : { bins: null, hogBias: null, normPix: true };
  const defaults: Record<string, unknown> = { ...ofArch, ...ofKind };
  const given: Record<string, unknown> = draft;
  return Object.fromEntries(Object.keys(LocalMimKeys.shape).map((key) => [key, given[key] ?? defaults[key] ?? null])) as Draft;
}

/** Keys that mean something under one arch or one kind only. */
const CONDITIONAL = { window: 'swin', merging: 'swin', scales: 'vit', taps: 'vit', bins: 'hog', hogBias: 'hog', normPix: 'pixels' } as const;

/** Reports keys that do not go with arch or kind, and numbers that do not fit each other. */
function refuse(draft: Draft, context: z.RefinementCtx<Draft>): void {
  const report = (key: keyof Draft, message: string): void => {
    context.addIssue({ code: 'custom', path: [key], message });
  };
  const { arch, kind, width, depth, heads, patchSize, taps, scales, decoderWidth, decoderHeads, headTokens } = complete(draft);
  for (const [key, under] of Object.entries(CONDITIONAL) as [keyof typeof CONDITIONAL, string][]) {
    const choice = under === arch || under === kind;
    if (!choice && draft[key] !== undefined && draft[key] !== null) report(key, `needs ${under === 'hog' || under === 'pixels' ? 'kind' : 'arch'}: ${under}; remove it or set it to null`);
  }
  const divisible = (key: 'width' | 'decoderWidth', by: number, why: string): void => {
    const value = (key === 'width' ? width : decoderWidth) as number;
    if (value % by !== 0) report(key, `${value} is not divisible by ${by} (${why})`);
  };
  divisible('decoderWidth', decoderHeads as number, 'decoderHeads');
  divisible('decoderWidth', arch === 'vit' ? 4 : 8, arch === 'vit' ? 'sine-cosine positions and the head of scale 4' : 'sine-cosine positions of the first decoder, which has half the width');
  if (arch === 'swin') {
    if (((decoderWidth as number) / 2) % (decoderHeads as number) !== 0) report('decoderHeads', `${decoderHeads} heads do not divide ${(decoderWidth as number) / 2}, the width of the first decoder`);
    if (typeof depth === 'number') report('depth', 'swin takes a list, one number for each stage');
    else if (typeof heads !== 'number' && heads?.length !== depth?.length) report('heads', `${heads?.length} stages have heads, ${depth?.length} have blocks`);
    if (typeof heads === 'number') report('heads', 'swin takes a list, one number for each stage');
    if (typeof patchSize !== 'number') report('patchSize', 'swin takes one number');
    if (headTokens !== 'grid') report('headTokens', "swin predicts the whole grid: remove it or set it to 'grid'");
    return;
  }
  if (typeof heads !== 'number') report('heads', 'a list of stages needs arch: swin; vit has one number of heads');
  else divisible('width', heads, 'heads');
  divisible('width', 4, 'sine-cosine positions');
  if (typeof depth !== 'number') {
    report('depth', 'a list of stages needs arch: swin; vit has one number of blocks');
    return;
  }
  const places = taps ?? [];
  if (places.length !== scales?.length) report('taps', `${places.length} taps for ${scales?.length} scales: each scale has a decoder, each decoder a tap`);
  else if (places.some((tap, i) => tap <= (places[i - 1] ?? 0)) || places.at(-1) !== depth) {
    const why = (draft.taps ?? null) === null ? `; the published rule needs a depth of at least 7, give 'taps' otherwise` : '';
    report('taps', `[${places.join(', ')}] does not ascend to ${depth} (depth)${why}`);
  }
}

/** Settings of LocalMIM. Defaults: ViT-B/16, or with `arch: swin` Swin-B, and the published recipes with HOG targets. */
export const LocalMimConfig = LocalMimKeys.superRefine(refuse).overwrite(complete) as unknown as z.ZodType<LocalMimConfig, z.input<typeof LocalMimKeys>>;

interface Shared extends Pick<Draft, 'mlpRatio' | 'decoderDepth' | 'maskRatio' | 'embedPatches'> {
  readonly width: number;
  readonly decoderWidth: number;
  readonly decoderHeads: number;
}
type Feature = { readonly kind: 'hog'; readonly bins: number; readonly hogBias: boolean; readonly normPix: null } | { readonly kind: 'pixels'; readonly bins: null; readonly hogBias: null; readonly normPix: boolean };

export interface LocalMimVit extends Shared {
  readonly arch: 'vit';
  readonly patchSize: number | readonly [height: number, width: number];
  readonly depth: number;
  readonly heads: number;
  readonly window: null;
  readonly scales: readonly z.output<typeof scale>[];
  readonly taps: readonly number[];
  readonly merging: null;
  readonly headTokens: 'scored' | 'grid';
}
export interface LocalMimSwin extends Shared {
  readonly arch: 'swin';
  readonly patchSize: number;
  readonly depth: readonly number[];
  readonly heads: readonly number[];
  readonly window: number;
  readonly scales: null;
  readonly taps: null;
  readonly merging: 'corrected' | 'released';
  readonly headTokens: 'grid';
}
/** Settings after parsing: every key has its value, null where it means nothing. */
export type LocalMimConfig = (LocalMimVit | LocalMimSwin) & Feature;
