import { z } from 'zod';

const count = (what: string) => z.int().min(1).describe(what);
const side = z.int().min(1);
const sides = z.union([side, z.tuple([side, side])]);

const SimMimKeys = z.strictObject({
  arch: z.enum(['vit', 'swin']).default('vit').describe('Encoder. The defaults of the keys below follow it: ViT-B/16, or Swin-B with windows of 6.'),
  patchSize: sides.optional().describe('Side of a token in pixels: one number, or [height, width]. Default 16 (vit), 4 (swin).'),
  width: count('Width of the encoder (swin: of its first stage; every later one doubles it). Default 768, 128.').optional(),
  depth: z.union([side, z.array(side).min(1)]).optional().describe('Blocks: one number (vit) or one for each stage (swin). Default 12, [2, 2, 18, 2].'),
  heads: z.union([side, z.array(side).min(1)]).optional().describe('Attention heads, as depth. Default 12, [4, 8, 16, 32].'),
  window: side.nullable().optional().describe('swin: side of the attention windows in tokens, default 6. vit: null.'),
  mlpRatio: z.number().positive().default(4).describe('Hidden width of an MLP over its width.'),
  layerScale: z.number().positive().nullable().optional().describe('vit: start of the learned scale of every residual branch, default 0.1; null: none. swin: null.'),
  layerScaleOn: z
    .enum(['both', 'mlp'])
    .default('both')
    .describe("vit: branches that the scale is applied to. mlp: as AMT's released code, whose attention branch has a scale that it forgets."),
  positions: z
    .enum(['relative', 'learned'])
    .default('relative')
    .describe("Where tokens stand: a table of relative positions, or (vit) learned absolute positions, which AMT's released version of SimMIM has."),
  dropPath: z.number().min(0).lt(1).optional().describe('Stochastic depth of the last block; rates rise linearly from 0. Default 0.1 (vit), 0 (swin).'),
  embedPatches: z
    .enum(['visible', 'all'])
    .optional()
    .describe("vit: which patches meet the embedding product: visible ones (default), or all as in the released code, at the same result. swin: 'all'."),
  maskUnit: sides.default(32).describe('Side of the blocks that are masked together, in pixels; a multiple of patchSize.'),
  maskRatio: z.number().gt(0).lt(1).default(0.6).describe('Share of the mask units that is hidden, rounded up.'),
  aggregatePosition: z
    .enum(['before-norm', 'after-norm'])
    .default('before-norm')
    .describe('Where decoding ends and prediction begins, which is where wrappers reconstruct thrown tokens: before the final norm, or behind it (vit).'),
  exemptTables: z
    .enum(['released', 'intended'])
    .default('released')
    .describe('What weight decay spares. released: as the released code does, which decays tables of relative positions and the mask token of vit; intended: neither.'),
});
type Draft = z.output<typeof SimMimKeys>;

const DEFAULTS = {
  vit: { patchSize: 16, width: 768, depth: 12, heads: 12, window: null, layerScale: 0.1, dropPath: 0.1, embedPatches: 'visible' },
  swin: { patchSize: 4, width: 128, depth: [2, 2, 18, 2], heads: [4, 8, 16, 32], window: 6, layerScale: null, dropPath: 0, embedPatches: 'all' },
} as const;

/** Every key with its value, always in the same order. */
const complete = (draft: Draft): Draft => {
  const defaults: Record<string, unknown> = DEFAULTS[draft.arch];
  const given: Record<string, unknown> = draft;
  return Object.fromEntries(Object.keys(SimMimKeys.shape).map((key) => [key, given[key] === undefined ? defaults[key] : given[key]])) as Draft;
};

/** Reports what does not go with the architecture, and numbers that do not fit each other. */
function refuse(draft: Draft, context: z.RefinementCtx<Draft>): void {
  const { arch, width, depth, heads, window, layerScale, layerScaleOn, positions, embedPatches, aggregatePosition, patchSize, maskUnit } = complete(draft);
  const report = (key: keyof Draft, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
  const pair = (value: NonNullable<Draft['patchSize']>): readonly [number, number] => (typeof value === 'number' ? [value, value] : value);
  const [patch, unit] = [pair(patchSize as number), pair(maskUnit)];
  if (unit.some((length, axis) => length % (patch[axis] as number) !== 0)) report('maskUnit', `mask units of ${unit.join(' x ')} pixels cannot be cut into patches of ${patch.join(' x ')}`);
  if (layerScale === null && layerScaleOn !== 'both') report('layerScaleOn', 'there is no layer scale to apply');
  if (arch === 'vit') {
    if (typeof depth !== 'number') report('depth', 'a list of stages needs arch: swin; vit has one number of blocks');
    if (typeof heads !== 'number') report('heads', 'a list of stages needs arch: swin; vit has one number of heads');
    else if ((width as number) % heads !== 0) report('width', `${width} is not divisible by ${heads} (heads)`);
    if (window !== null) report('window', 'windows need arch: swin; remove it or set it to null');
    return;
  }
  if (typeof depth === 'number') report('depth', 'swin takes a list, one number for each stage');
  if (typeof heads === 'number') report('heads', 'swin takes a list, one number for each stage');
  else if (typeof depth !== 'number' && heads?.length !== depth?.length) report('heads', `${heads?.length} stages have heads, ${depth?.length} have blocks`);
  if (window === null) report('window', 'swin needs a window');
  if (layerScale !== null) report('layerScale', 'layer scale needs arch: vit; remove it or set it to null');
  if (positions !== 'relative') report('positions', 'learned positions need arch: vit; remove it or set it to relative');
  if (embedPatches !== 'all') report('embedPatches', "swin embeds all patches: remove it or set it to 'all'");
  if (aggregatePosition !== 'before-norm') report('aggregatePosition', 'needs arch: vit; no wrapper reconstructs tokens of swin');
}

/** Settings of SimMIM. Defaults: ViT-B/16, or with `arch: swin` Swin-B, and the released pre-training recipe. */
export const SimMimConfig = SimMimKeys.superRefine(refuse).overwrite(complete) as unknown as z.ZodType<SimMimConfig>;

interface Shared extends Pick<Draft, 'mlpRatio' | 'layerScaleOn' | 'positions' | 'maskUnit' | 'maskRatio' | 'aggregatePosition' | 'exemptTables'> {
  readonly patchSize: NonNullable<Draft['patchSize']>;
  readonly width: number;
  readonly dropPath: number;
}
export interface SimMimVitConfig extends Shared {
  readonly arch: 'vit';
  readonly depth: number;
  readonly heads: number;
  readonly window: null;
  readonly layerScale: number | null;
  readonly embedPatches: 'visible' | 'all';
}
export interface SimMimSwinConfig extends Shared {
  readonly arch: 'swin';
  readonly depth: readonly number[];
  readonly heads: readonly number[];
  readonly window: number;
  readonly layerScale: null;
  readonly embedPatches: 'all';
}
/** Settings after parsing: every key has its value. */
export type SimMimConfig = SimMimVitConfig | SimMimSwinConfig;
